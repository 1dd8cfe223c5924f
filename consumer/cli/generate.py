"""`generate`: realistic events on a topic, by seed."""

import asyncio
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from consumer.avro.framing import as_number_or_guid
from consumer.cli.sections import SectionedCommand
from consumer.cli.service import registry_of
from consumer.cli.settings_options import load_settings, settings_options
from consumer.errors import ConfigurationError, UsageError
from consumer.sandbox import generator
from consumer.settings import Settings


@click.command(
    cls=SectionedCommand,
    short_help="Produce realistic events to a topic, by seed.",
    epilog="""\b
Examples:
  distinct-consumer generate --topic user-events
  distinct-consumer generate --topic try-it --partitions 12 --count 100000
  distinct-consumer generate --topic try-it --seed 7 --rate 500 --output json
""",
)
@click.option("--topic", metavar="NAME", required=True, help="The topic to produce to.")
@click.option(
    "--partitions",
    metavar="N",
    type=click.IntRange(min=1),
    help="Create the topic with so many partitions if it is missing. Without, the broker has to create it.",
)
@click.option(
    "--count",
    metavar="N",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    help="How many records.",
)
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(min=0),
    help="The same seed gives the same users, events and ids. Without, a new one is taken and printed.",
)
@click.option(
    "--end",
    metavar="TIME",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]),
    help="As of when the last event is, such as 2026-04-27T13:35:00Z; the events spread over the six hours "
    "before.  [default: now]",
)
@click.option(
    "--rate", metavar="N", type=click.FloatRange(min=0, min_open=True), help="Records a second at most."
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the counts are printed at the end.",
)
@settings_options(
    "kafka_bootstrap_servers",
    "kafka_properties",
    "schema_registry_url",
    "schema_registry_ca_file",
    "schema_registry_certificate_file",
    "schema_registry_key_file",
    "allow_plain_http",
)
def generate(
    config: Path | None,
    topic: str,
    partitions: int | None,
    count: int,
    seed: int | None,
    end: datetime | None,
    rate: float | None,
    output: str,
    **flags: Any,
) -> None:
    """Produce realistic user events: duplicates, repeated opens, bots, unknown users, poison.

    Registers their schema under <topic>-value. Counts what the broker acknowledged. Ctrl-C ends it early,
    with the counts up to then.
    """
    settings = load_settings(config, flags)
    if missing := settings.missing():
        raise ConfigurationError(missing)
    if not str(settings.schema_registry_url).startswith(("http://", "https://")):
        raise UsageError(
            "--schema-registry-url must be an http or https URL: a consumer has to find the schema there"
        )
    servers, properties = settings.bootstrap_servers or "", dict(settings.kafka_options)
    target = generator.Target(servers, topic, properties, rate=rate)
    if partitions is not None:
        generator.ensure_topic(servers, topic, partitions, properties)
    plan = generator.Plan.ending_at(
        int(end.replace(tzinfo=UTC).timestamp() * 1000) if end else int(time.time() * 1000),
        count=count,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        schema_id=asyncio.run(_register(settings, topic)),
    )
    with _signals() as stopped, _progress(count) as (progress, task):
        produced = generator.generate(
            plan,
            target,
            progress=lambda acknowledged: progress.update(task, completed=acknowledged),
            stop=stopped.is_set,
        )
    if output == "json":
        click.echo(orjson.dumps(produced.as_dict(), option=orjson.OPT_INDENT_2))
    else:
        click.echo(f"{produced.total:,} records on {topic}, by seed {produced.seed}")
        Console().print(_table(produced))
        click.echo(f"{produced.seconds:.1f} s, {produced.records_per_second:,} records a second")


async def _register(settings: Settings, topic: str) -> int:
    """The id of the events' schema, registered where it is not there yet."""
    registry = registry_of(settings)
    try:
        text = generator.user_event_text()
        return int(as_number_or_guid(await registry.register(f"{topic}-value", text)))
    finally:
        registry.close()


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """Set on SIGINT and SIGTERM, so that what was handed over is still acknowledged and counted."""
    stopped = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stopped.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(count: int) -> Iterator[tuple[Progress, TaskID]]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield progress, progress.add_task("producing", total=count)


def _table(produced: generator.Produced) -> Table:
    table = Table("kind")
    table.add_column("records", justify="right")
    for kind in generator.Kind:
        if kind in produced.by_kind:
            table.add_row(kind.value.replace("_", " "), f"{produced.by_kind[kind]:,}")
    table.add_section()
    table.add_row("distinct events", f"{produced.distinct_event_ids:,}")
    table.add_row("undecodable", f"{produced.undecodable:,}")
    table.add_row("all", f"{produced.total:,}")
    return table
