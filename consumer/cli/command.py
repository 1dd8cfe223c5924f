"""The command and its subcommands."""

import click

from consumer import __version__
from consumer.cli.check import check
from consumer.cli.demo import demo
from consumer.cli.generate import generate
from consumer.cli.run import run
from consumer.cli.simulate import simulate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="distinct-consumer")
def command() -> None:
    """Delivers user events from Kafka to Distinct's products; commits only what the receiver has
    acknowledged.

    \b
    See it work:            distinct-consumer demo
    Check a configuration:  distinct-consumer check
    Run it:                 distinct-consumer run

    Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 stopped with work unsettled, 4 refused without a
    flag.
    """


for _one in (run, check, demo, generate, simulate):
    command.add_command(_one)
