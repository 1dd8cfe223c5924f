"""The command `distinct-consumer`: one file a subcommand. stdout carries data; stderr logs and progress."""

import sys


def main() -> None:
    """The entry point: an expected error is one message and its exit code, never a stack trace."""
    from consumer.cli.core_dumps import forbid_core_dumps
    from consumer.cli.last_words import tell, tell_faults

    forbid_core_dumps()  # before a secret is read
    tell_faults()

    import click

    from consumer.cli.command import command
    from consumer.errors import ConfigurationError, ConsumerError

    try:
        command.main(prog_name="distinct-consumer", standalone_mode=False)
    except ConsumerError as error:
        for text in error.findings if isinstance(error, ConfigurationError) else [str(error)]:
            click.echo(f"error: {text}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        tell("a fault of distinct-consumer itself: please report it, with this", error)
        sys.exit(1)
