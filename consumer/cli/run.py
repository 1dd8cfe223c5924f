"""`run`: the consumer."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import click
import orjson
import uvloop

from consumer.cli.books import print_books
from consumer.cli.run_order import Prepared, RunOrder, prepare
from consumer.cli.run_workers import refuse_what_no_worker_can, run_workers
from consumer.cli.sections import SectionedCommand
from consumer.cli.service import serve
from consumer.cli.settings_options import settings_options
from consumer.errors import ConsumerError, FaultError, StoppedError, UsageError

_LOG = logging.getLogger("consumer.run")


@click.command(
    cls=SectionedCommand,
    short_help="Consume and deliver until a signal; commit what is acknowledged.",
    epilog="""\b
Examples:
  export KAFKA_BOOTSTRAP_SERVERS=localhost:9092
  export SCHEMA_REGISTRY_URL=http://localhost:8081
  export DISTINCT_API_KEY_FILE=/run/secrets/distinct
  export CLIENT_API_BASE_URL=https://your-instance.example.com
  export CLIENT_API_KEY_FILE=/run/secrets/client
  export EVENT_API_KEY_FILE=/run/secrets/event
  distinct-consumer run
  distinct-consumer run --until-end --timeout 600 --output json
  distinct-consumer run --destination client
  distinct-consumer run --workers 4
""",
)
@click.option(
    "--until-end", is_flag=True, help="Stop after the end offsets seen at start, drained and committed."
)
@click.option(
    "--timeout",
    "timeout_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="With --until-end: give up after so many seconds, exit 3.",
)
@click.option(
    "--destination",
    metavar="NAME",
    help="Serve this destination alone, in a group of its own: the group's name, a dot, and NAME.",
)
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="So many processes, on one machine's cores: one group, one ledger, one admin port that adds them up.",
)
@click.option(
    "--accept-ledger",
    is_flag=True,
    help="Go on with a ledger that is behind the broker: duplicates can be sent.",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the books are printed at the end.",
)
@settings_options()
def run(
    config: Path | None,
    destination: str | None,
    workers: int,
    accept_ledger: bool,
    until_end: bool,
    timeout_s: float | None,
    output: str,
    **flags: Any,
) -> None:
    """Consume, deliver, and commit what was acknowledged.

    Until a signal, or the end with --until-end. SIGTERM and SIGINT drain: what is on the wire is awaited,
    confirmed and committed; then the books are printed. Exits 3 if something is left unsettled. SIGHUP, or a change of
    the topology's files, loads the topology again: a broken one is refused, and the old one goes on.
    """
    if timeout_s is not None and not until_end:
        raise UsageError("--timeout bounds a run with --until-end: give both, or neither")
    order = RunOrder(
        config=None if config is None else str(config),
        flags=flags,
        destination=destination,
        accept_ledger=accept_ledger,
        until_end=until_end,
        timeout_s=timeout_s,
    )
    prepared = prepare(order)
    if workers > 1:
        refuse_what_no_worker_can(prepared)
    try:
        out, failure = _one(prepared) if workers == 1 else _several(order, prepared, workers)
        _print(out, output)
        if failure is not None:
            raise failure
        if not out["balanced"]:
            raise FaultError(
                "the books do not balance: a record was lost or counted twice; please report this"
            )
    except UsageError:
        raise  # A mistake in the configuration is read by whoever made it.
    except ConsumerError as error:
        if sys.stderr.isatty():
            raise
        # Whoever reads these logs by machine gets the reason of the end as a line like all others.
        _LOG.error(str(error), extra={"exit_code": error.exit_code})
        sys.exit(error.exit_code)


def _one(one: Prepared) -> tuple[dict[str, Any], ConsumerError | None]:
    serving = serve(one.settings, one.load, one.folders, one.plan, one.config, one.redactor)
    ended = uvloop.run(serving)
    return ended.books.as_json(ended.seconds), ended.stopped


def _several(
    order: RunOrder, prepared: Prepared, workers: int
) -> tuple[dict[str, Any], ConsumerError | None]:
    together = asyncio.run(run_workers(order, prepared, workers))
    if together.failure is not None and not isinstance(together.failure, StoppedError):
        raise together.failure  # as a single process does: books are of a run that could end
    return together.books, together.failure


def _print(books: dict[str, Any], output: str) -> None:
    if output == "json":
        sys.stdout.buffer.write(orjson.dumps(books, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        print_books(books)
