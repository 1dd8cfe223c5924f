"""How a command of the bench ends, and where it says how far it is."""

import sys

import click
from rich.console import Console

from consumer.errors import ConsumerError


def tell(text: str) -> None:
    """Progress, beside what is measured."""
    click.echo(f"bench: {text}", err=True)


def console() -> Console:
    """Where tables go: as wide as the terminal, and wide enough where there is none."""
    return Console() if sys.stdout.isatty() else Console(width=140)


def run_command(command: click.Command) -> None:
    """An expected error is one message and its exit code."""
    try:
        command.main(standalone_mode=False)
    except ConsumerError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
