"""`topology`: what a topology asks of a cluster."""

import click

from consumer.cli.topology_apply import apply
from consumer.cli.topology_plan import plan


@click.group(short_help="Bring topics and subjects of a cluster to what the topology says.")
def topology() -> None:
    """Bring the topics, dead-letter topics and subjects of a cluster to what the topology says.

    Nothing is ever deleted or made smaller.
    """


topology.add_command(plan)
topology.add_command(apply)
