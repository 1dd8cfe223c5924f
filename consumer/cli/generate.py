"""`generate`: realistic events on a topic, by seed."""

import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from consumer.errors import UsageError
from consumer.sandbox import generator


@click.command("generate")
@click.option(
    "--bootstrap-servers", envvar="KAFKA_BOOTSTRAP_SERVERS", required=True, show_envvar=True,
    help="The brokers, host:port with commas between.",
)  # fmt: skip
@click.option(
    "--schema-registry-url", envvar="SCHEMA_REGISTRY_URL", required=True, show_envvar=True,
    help="Where the events' schema is registered, under <topic>-value.",
)  # fmt: skip
@click.option(
    "--kafka-properties", envvar="KAFKA_PROPERTIES", show_envvar=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A librdkafka properties file: SASL, TLS, any option.",
)  # fmt: skip
@click.option("--topic", required=True, help="The topic to produce to.")
@click.option(
    "--partitions", type=click.IntRange(min=1),
    help="Create the topic with so many partitions if it is missing. Without, the broker has to create it.",
)  # fmt: skip
@click.option(
    "--count", type=click.IntRange(min=1), default=10_000, show_default=True, help="How many records."
)
@click.option(
    "--seed", type=click.IntRange(min=0),
    help="The same seed gives the same users, events and ids. Without, a new one is taken and printed.",
)  # fmt: skip
@click.option(
    "--end", type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]),
    help="As of when the last event is, in UTC; the events spread over the six hours before.  [default: now]",
)  # fmt: skip
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Records a second at most.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def generate(
    bootstrap_servers: str,
    schema_registry_url: str,
    kafka_properties: Path | None,
    topic: str,
    partitions: int | None,
    count: int,
    seed: int | None,
    end: datetime | None,
    rate: float | None,
    output: str,
) -> None:
    """Produce realistic user events: duplicates, repeated opens, bots, unknown users, poison, by seed.

    Counts what the broker acknowledged. Ctrl-C ends it early, with the counts up to then.
    """
    if not schema_registry_url.startswith(("http://", "https://")):
        raise UsageError(
            f"--schema-registry-url is {schema_registry_url!r}: it must be an http or https URL, "
            "because a consumer has to find the schema there"
        )
    properties = _read_properties(kafka_properties) if kafka_properties else {}
    target = generator.Target(bootstrap_servers, topic, properties, rate=rate)
    if partitions is not None:
        generator.ensure_topic(bootstrap_servers, topic, partitions, properties)
    with generator.connect(schema_registry_url) as registry:
        schema_id = generator.register(registry, topic)
    plan = generator.Plan.ending_at(
        int(end.replace(tzinfo=UTC).timestamp() * 1000) if end else int(time.time() * 1000),
        count=count,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        schema_id=schema_id,
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
        click.echo(f"{produced.seconds:.1f} s, {produced.records_per_second:,} records/s")


def _read_properties(file: Path) -> dict[str, str]:
    properties = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith(("#", "!")):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            # The line itself is not shown: it may hold a password.
            raise UsageError(f"{file}:{number}: not a property; write name=value")
        properties[name.strip()] = value.strip()
    return properties


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
