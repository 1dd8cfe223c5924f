"""`check`: whether settings and topology make sense, and what they say, without any connection."""

from pathlib import Path
from typing import Any

import click
import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from consumer.cli.settings_options import load_settings, settings_options
from consumer.resources import schemas_dir, topology_dir
from consumer.settings import Settings
from consumer.settings.units import show_duration, show_size
from consumer.topology.credential import CredentialProblem, resolve
from consumer.topology.load import load_plan
from consumer.topology.plan import Destination, Plan, Route


@click.command(
    epilog="""\b
Examples:
  distinct-consumer check
  distinct-consumer check --topology my-topology --config consumer.yaml
  distinct-consumer check --output json | jq '.destinations[].name'
"""
)
@settings_options("topology", "schemas", "allow_plain_http")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def check(config: Path | None, output: str, **flags: Any) -> None:
    """Check settings and topology without any connection, and print what they amount to.

    All mistakes are printed, each with file, line and key, and the command exits 2. What a running consumer
    would need besides, and does not have yet (keys, addresses), is a note: a topology can be checked without.
    """
    settings = load_settings(config, flags)
    plan = load_plan(
        settings.topology or topology_dir(),
        settings.environment,
        schemas=settings.schemas or schemas_dir(),
        resolve=False,
        allow_plain_http=settings.allow_plain_http,
    )
    notes = _notes(settings, plan)
    if output == "json":
        click.echo(orjson.dumps(_as_json(plan, notes), option=orjson.OPT_INDENT_2))
        return
    _print(plan)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"the topology is sound: version {plan.version}", err=True)


def _notes(settings: Settings, plan: Plan) -> list[str]:
    """What `run` would refuse to start without."""
    notes = settings.missing()
    for one in plan.destinations.values():
        if "${" in one.base_url:
            notes.append(f"{one.name}: {one.base_url} is not set")
        problem = resolve(one.credential.reference, settings.environment)
        if isinstance(problem, CredentialProblem):
            notes.append(f"{one.name}: {problem}")
    return notes


def _print(plan: Plan) -> None:
    """Three tables on stdout; as wide as they are where nobody's terminal is."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    topics = _table("Topics", "topic", "partitions", "replication", "start", "on gap", "dead letters")
    for topic in plan.topics.values():
        numbers = (str(topic.partitions), str(topic.replication))
        topics.add_row(topic.name, *numbers, topic.start, topic.on_gap, topic.dead_letters)
    destinations = _table(
        "Destinations (concurrency and rate are those of each process)",
        "destination", "api", "base URL", "credential", "concurrency", "rate/s", "batch", "timeout", "state",
    )  # fmt: skip
    for one in plan.destinations.values():
        rate = "unlimited" if one.rate_per_s is None else f"{one.rate_per_s:g}"
        state = "paused" if one.paused else "active"
        timeout = show_duration(round(one.timeouts.total_s * 1000))
        destinations.add_row(
            one.name,
            one.api,
            one.base_url,
            one.credential.reference,
            str(one.concurrency),
            rate,
            _batch(one),
            timeout,
            state,
        )
    routes = _table("Routes", "route", "from", "to", "operation", "types", "window", "ordering")
    for route in plan.routes:
        routes.add_row(
            route.id,
            route.topic,
            route.destination,
            route.operation.name,
            ", ".join(route.types) or "all",
            route.window,
            _ordering(route),
        )
    for table in (topics, destinations, routes):
        console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _batch(one: Destination) -> str:
    if one.batch.max_items == 1:
        return "one a request"
    linger = show_duration(round(one.batch.linger_s * 1000))
    return f"{one.batch.max_items} items, {show_size(one.batch.max_bytes)}, {linger}"


def _ordering(route: Route) -> str:
    return "key" if route.ordered else "none"


def _as_json(plan: Plan, notes: list[str]) -> dict[str, Any]:
    return {
        "version": plan.version,
        "topics": [
            {
                "name": topic.name,
                "partitions": topic.partitions,
                "replication": topic.replication,
                "start": topic.start,
                "on_gap": topic.on_gap,
                "dead_letters": topic.dead_letters,
            }
            for topic in plan.topics.values()
        ],
        "destinations": [
            {
                "name": one.name,
                "api": one.api,
                "account": one.account,
                "base_url": one.base_url,
                "credential": one.credential.reference,
                "concurrency": one.concurrency,
                "rate_per_s": one.rate_per_s,
                "max_items": one.batch.max_items,
                "max_bytes": one.batch.max_bytes,
                "linger_s": one.batch.linger_s,
                "timeout_s": one.timeouts.total_s,
                "paused": one.paused,
            }
            for one in plan.destinations.values()
        ],
        "routes": [
            {
                "id": route.id,
                "topic": route.topic,
                "destination": route.destination,
                "operation": route.operation.name,
                "types": route.types,
                "window": route.window,
                "ordering": _ordering(route),
            }
            for route in plan.routes
        ],
        "notes": notes,
    }
