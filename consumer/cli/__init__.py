"""The command `distinct-consumer`: one file a subcommand. stdout carries data; stderr logs and progress."""

import sys


def main() -> None:
    """The entry point: an expected error is one message and its exit code, never a stack trace."""
    from consumer.cli.core_dumps import forbid_core_dumps

    forbid_core_dumps()  # before a secret is read

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
        _tell(error)
        sys.exit(1)


def _tell(error: Exception) -> None:
    """A fault of ours: by the log, which masks what may be secret, as Python's own way would not."""
    import logging

    from consumer.telemetry.logs import configure_logging
    from consumer.telemetry.redaction import Redactor

    root = logging.getLogger()
    if not root.handlers:
        configure_logging(Redactor())
    root.error("a fault of distinct-consumer itself: please report it, with this", exc_info=error)
