"""`topology`: what a topology asks of a cluster, and what it does with records."""

import click

from consumer.cli.topology_apply import apply
from consumer.cli.topology_examples import test
from consumer.cli.topology_plan import plan


@click.group(short_help="Try a topology's examples; bring a cluster to what it says.")
def topology() -> None:
    """Try a topology on example records; bring a cluster's topics, dead-letter topics and subjects to what it says.

    Nothing is ever deleted or made smaller.
    """


topology.add_command(test)
topology.add_command(plan)
topology.add_command(apply)
