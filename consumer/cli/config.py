"""`config`: the settings as they count, and the schemas of the files that are written."""

import click

from consumer.cli.config_schema import schema
from consumer.cli.config_show import show


@click.group(short_help="Show the settings that count; print JSON Schemas for editors.")
def config() -> None:
    """Show the settings that count and where each comes from, and the JSON Schemas of the files."""


config.add_command(show)
config.add_command(schema)
