"""The command `distinct-consumer`: one file a subcommand. stdout carries data; stderr carries logs and
progress.
"""

import sys


def main() -> None:
    """The entry point: an expected error is one message and its exit code, never a stack trace."""
    import click

    from consumer.cli.command import command
    from consumer.errors import ConsumerError

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
