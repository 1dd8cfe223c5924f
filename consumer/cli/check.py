"""`check`: whether settings and topology make sense, and what they say, without any connection."""

from collections.abc import Callable, Collection, Iterable, Mapping
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
from consumer.cli.service import ledger_access_of
from consumer.cli.settings_options import load_settings, option_faults, settings_options
from consumer.clock import SystemClock
from consumer.errors import ConfigurationError
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sharing import sharing_fault
from consumer.resources import schemas_dir, topology_dir
from consumer.settings import Settings
from consumer.settings.units import show_duration, show_size
from consumer.topology.credential import CredentialProblem, resolve
from consumer.topology.directory import read_directory
from consumer.topology.load import load_plan
from consumer.topology.lock import changes_since, locked_routes, read_lock, write_lock
from consumer.topology.plan import Destination, Plan, Route

_OF_TOPOLOGY = ("topology", "schemas", "allow_plain_http")
_OF_LEDGER = (
    "consumer_group",
    "ledger_url",
    "ledger_password",
    "ledger_ca_file",
    "ledger_certificate_file",
    "ledger_key_file",
)
_OF_KAFKA = ("kafka_properties",)


@click.command(
    short_help="Check settings and topology, and show what they amount to.",
    epilog="""\b
Examples:
  distinct-consumer check
  distinct-consumer check --topology my-topology --config consumer.yaml
  distinct-consumer check --online
  distinct-consumer check --replicas 3 --strict
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
@click.option(
    "--replicas",
    metavar="N",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many processes will run: rates and concurrency are shown times N, and the ledger must be shared.",
)
@click.option(
    "--lock",
    is_flag=True,
    help="Remember the routes in topology.lock, so that a later check notices a renamed one.",
)
@click.option("--strict", is_flag=True, help="Exit 2 also for what is a warning: a renamed route.")
@settings_options(*_OF_TOPOLOGY, *ONLINE_SETTINGS, sections=False)
def check(
    config: Path | None, output: str, online: bool, replicas: int, lock: bool, strict: bool, **flags: Any
) -> None:
    """Check settings and topology, and print what they amount to; without any connection, unless --online.

    All mistakes are printed, each with file, line and key, and the command exits 2. What a running consumer
    would need besides, and does not have yet (keys, addresses), is a note: a topology can be checked without.
    """
    settings = _settings(config, flags, replicas)
    plan, findings = _load(settings)
    findings = option_faults(settings) + _ledger_faults(settings, replicas) + findings
    if plan is None or findings:
        raise ConfigurationError(findings)
    directory = settings.topology or topology_dir()
    warnings = [] if lock else _warnings(directory)
    if strict and warnings:
        raise ConfigurationError(warnings)
    notes = _notes(settings, plan)
    if lock:
        file = write_lock(directory, locked_routes(read_directory(directory)))
        click.echo(f"wrote {file}", err=True)
    seen = observe(settings, plan) if online else []
    if output == "json":
        document = _as_json(plan, replicas, warnings, notes)
        if online:
            document["online"] = observations_as_json(seen)
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        fail_if_any_failed(seen)
        return
    _print(plan, replicas)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"the topology is sound: version {plan.version}", err=True)
    if online:
        print_observations(seen, console_of())
        fail_if_any_failed(seen)


def _settings(config: Path | None, flags: dict[str, Any], replicas: int) -> Settings:
    """Raises ConfigurationError with all that is wrong: one mistake in the settings hides none in what the others
    name."""
    try:
        return load_settings(config, flags)
    except ConfigurationError as error:
        findings = dict.fromkeys(error.findings)
    parts: Mapping[Collection[str], Callable[[Settings], list[str]]] = {
        _OF_KAFKA: option_faults,
        _OF_LEDGER: lambda settings: _ledger_faults(settings, replicas),
        _OF_TOPOLOGY: lambda settings: _load(settings)[1],
    }
    for keys, faults_of in parts.items():
        try:
            more = faults_of(load_settings(config, flags, only=keys))
        except ConfigurationError as error:
            more = error.findings
        findings |= dict.fromkeys(more)
    raise ConfigurationError(list(findings))


def _load(settings: Settings) -> tuple[Plan | None, list[str]]:
    """The plan, or what is wrong with the topology: to be told together with what is wrong with the settings."""
    try:
        plan = load_plan(
            settings.topology or topology_dir(),
            settings.environment,
            schemas=settings.schemas or schemas_dir(),
            resolve=False,
            allow_plain_http=settings.allow_plain_http,
        )
    except ConfigurationError as error:
        return None, error.findings
    return plan, []


def _ledger_faults(settings: Settings, replicas: int) -> list[str]:
    """What is wrong with the ledger's URL; nothing is opened."""
    try:
        # Its times are the defaults: what matters here is the URL alone.
        open_ledger(
            settings.ledger_url,
            settings.consumer_group,
            LedgerPolicy(60.0),
            SystemClock(),
            ledger_access_of(settings),
        )
    except ConfigurationError as error:
        return error.findings
    fault = sharing_fault(settings.ledger_url, replicas)
    source = str(settings.masked()["ledger_url"]["source"])
    where = {"default": "ledger_url, by default"}.get(source, source)
    return [] if fault is None else [f"{where}: {fault}"]


def _warnings(directory: Path) -> list[str]:
    """What can be meant, and is seldom: that the ledger does not know a route any more."""
    locked = read_lock(directory)
    return [] if locked is None else list(map(str, changes_since(locked, read_directory(directory))))


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


def _print(plan: Plan, replicas: int) -> None:
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
        destinations.add_row(one.name, _described(one, replicas))
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


def _described(one: Destination, replicas: int) -> str:
    rate = "" if one.rate_per_s is None else f", {one.rate_per_s:g} a second{_all(one.rate_per_s, replicas)}"
    timeout = show_duration(round(one.timeouts.total_s * 1000))
    return (
        f"{'PAUSED; ' if one.paused else ''}{one.api} at {one.base_url}, "
        f"key from {one.credential.reference}; {_at_a_time(one)}"
        f"{_all(one.concurrency, replicas)}{rate}, {_batch(one)}, {timeout} each"
    )


def _at_a_time(one: Destination) -> str:
    return f"{'up to' if one.adaptive else 'always'} {one.concurrency} requests at a time"


def _all(of_one: float, replicas: int) -> str:
    """What all replicas together may do."""
    return "" if replicas == 1 else f" ({of_one * replicas:g} in {replicas} replicas)"


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


def _as_json(plan: Plan, replicas: int, warnings: list[str], notes: list[str]) -> dict[str, Any]:
    return {
        "version": plan.version,
        "replicas": replicas,
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
                "adaptive": one.adaptive,
                "rate_per_s": one.rate_per_s,
                "concurrency_all": one.concurrency * replicas,
                "rate_per_s_all": None if one.rate_per_s is None else one.rate_per_s * replicas,
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
        "warnings": warnings,
        "notes": notes,
    }
