"""The command and its subcommands."""

import click

from consumer import __version__
from consumer.cli.check import check
from consumer.cli.config import config
from consumer.cli.demo import demo
from consumer.cli.generate import generate
from consumer.cli.run import run
from consumer.cli.schema import schema
from consumer.cli.simulate import simulate
from consumer.cli.topology import topology
from consumer.cli.touchpoints import touchpoints


class _InThisOrder(click.Group):
    """Lists its commands in the order in which they are met, not in the alphabet's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InThisOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="distinct-consumer")
def command() -> None:
    """Delivers user events from Kafka to Distinct's products; commits only what the receiver has
    acknowledged.

    \b
    See it work:            distinct-consumer demo
    Check a configuration:  distinct-consumer check
    Run it:                 distinct-consumer run

    \b
    Exit codes:
      0  done, also after a signal when the drain finished
      1  failed
      2  usage or configuration
      3  stopped with work unsettled
      4  refused: unsafe without a flag
    """


for _one in (demo, check, run, touchpoints, topology, schema, config, simulate, generate):
    command.add_command(_one)
