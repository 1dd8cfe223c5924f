"""`check`: whether settings and topology make sense, and what they say, without any connection."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table

from consumer.cli.changes import console_of
from consumer.cli.check_online import (
    ONLINE_SETTINGS,
    fail_if_any_failed,
    observations_as_json,
    observe,
    print_observations,
)
from consumer.cli.settings_options import load_settings, settings_options
from consumer.resources import schemas_dir, topology_dir
from consumer.settings import Settings
from consumer.settings.units import show_duration, show_size
from consumer.topology.credential import CredentialProblem, resolve
from consumer.topology.load import load_plan
from consumer.topology.plan import Destination, Plan, Route


@click.command(
    short_help="Check settings and topology, and show what they amount to.",
    epilog="""\b
Examples:
  distinct-consumer check
  distinct-consumer check --topology my-topology --config consumer.yaml
  distinct-consumer check --online
  distinct-consumer check --output json | jq '.destinations[].name'
""",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How what was found is printed.",
)
@click.option(
    "--online",
    is_flag=True,
    help="Also ask brokers, registry, ledger and receivers; nothing is changed. Exits 1 where one fails.",
)
@settings_options("topology", "schemas", "allow_plain_http", *ONLINE_SETTINGS, sections=False)
def check(config: Path | None, output: str, online: bool, **flags: Any) -> None:
    """Check settings and topology, and print what they amount to; without any connection, unless --online.

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
    seen = observe(settings, plan) if online else []
    if output == "json":
        document = _as_json(plan, notes)
        if online:
            document["online"] = observations_as_json(seen)
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        fail_if_any_failed(seen)
        return
    _print(plan)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"the topology is sound: version {plan.version}", err=True)
    if online:
        print_observations(seen, console_of())
        fail_if_any_failed(seen)


def _notes(settings: Settings, plan: Plan) -> list[str]:
    """What the topology gives to think about, and what `run` would refuse to start without."""
    notes = [*plan.notes, *settings.missing()]
    for one in plan.destinations.values():
        if "${" in one.base_url:
            notes.append(f"{one.name}: {one.base_url} is not set")
        problem = resolve(one.credential.reference, settings.environment)
        if isinstance(problem, CredentialProblem):
            notes.append(f"{one.name}: {problem}")
    return notes


def _print(plan: Plan) -> None:
    """What is read, who gets it, and by which routes, on stdout; lines break where a terminal is narrow."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=200, highlight=False)
    console.print("Topics")
    topics = _columns()
    for topic in plan.topics.values():
        topics.add_row(
            topic.name,
            f"{topic.partitions} partitions, replication {topic.replication}; starts at {topic.start}, "
            f"on a gap: {topic.on_gap}; dead letters: {topic.dead_letters}",
        )
    console.print(topics)
    console.print("Destinations [dim](concurrency and rate are those of each process)[/dim]")
    destinations = _columns()
    for one in plan.destinations.values():
        destinations.add_row(one.name, _described(one))
    console.print(destinations)
    for title, routes in _grouped(plan.routes).items():
        console.print(f"Routes {title}", markup=False)
        table = _columns(3)
        for route in routes:
            table.add_row(route.id, ", ".join(route.types) or "all types", _particulars(route))
        console.print(table)


def _columns(count: int = 2) -> Table:
    """A grid below a heading, with an empty line after it; only the last column is broken."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2), pad_edge=True, show_footer=False)
    for _ in range(count - 1):
        table.add_column(no_wrap=True)
    table.add_column()
    return table


def _described(one: Destination) -> str:
    rate = "" if one.rate_per_s is None else f", {one.rate_per_s:g} a second"
    timeout = show_duration(round(one.timeouts.total_s * 1000))
    return (
        f"{'PAUSED; ' if one.paused else ''}{one.api} at {one.base_url}, "
        f"key from {one.credential.reference}; {one.concurrency} requests at a time{rate}, "
        f"{_batch(one)}, {timeout} each"
    )


def _grouped(routes: Iterable[Route]) -> dict[str, list[Route]]:
    """By where they lead: `user-events → client (events)`."""
    groups: dict[str, list[Route]] = {}
    for route in routes:
        title = f"{route.topic} → {route.destination} ({route.operation.name})"
        groups.setdefault(title, []).append(route)
    return groups


def _particulars(route: Route) -> str:
    window = {"": "", "ever": "once for ever"}.get(route.window, f"once in {route.window}")
    return ", ".join(filter(None, (window, "" if route.ordered else "in any order")))


def _batch(one: Destination) -> str:
    if one.batch.max_items == 1:
        return "one item in each"
    linger = show_duration(round(one.batch.linger_s * 1000))
    size = show_size(one.batch.max_bytes)
    return f"up to {one.batch.max_items} items or {size} in each, after {linger} at most"


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
