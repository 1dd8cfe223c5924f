"""`topology`: what is done with a topology as a whole."""

import click

from consumer.cli.topology_examples import test


@click.group(short_help="Try a topology's examples.")
def topology() -> None:
    """What is done with a topology as a whole."""


topology.add_command(test)
