"""`schema`: the records' schemas, proven and registered."""

import click

from consumer.cli.schema_lint import lint
from consumer.cli.schema_register import register


@click.group(short_help="Prove that schemas are compatible, and register them.")
def schema() -> None:
    """Prove that schemas can be read with those that went before, and register them."""


schema.add_command(lint)
schema.add_command(register)
