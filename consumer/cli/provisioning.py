"""What the commands that change a cluster or a registry share: their settings, and the question before they act."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from consumer.avro.registry import Registry
from consumer.cli.changes import described
from consumer.cli.service import registry_of
from consumer.cli.settings_options import load_settings
from consumer.core.changes import Change, Changes
from consumer.core.cluster import Wanted
from consumer.errors import ConfigurationError, RefusedError
from consumer.kafka.admin import Cluster
from consumer.operations.provision import carry_out, difference
from consumer.resources import schemas_dir, topology_dir
from consumer.settings import Settings
from consumer.settings.model import variable_of
from consumer.topology.load import load_plan
from consumer.topology.plan import Plan
from consumer.topology.wanted import wanted_of

CLUSTER_SETTINGS = (
    "topology",
    "schemas",
    "kafka_bootstrap_servers",
    "kafka_properties",
    "schema_registry_url",
    "schema_registry_ca_file",
    "schema_registry_certificate_file",
    "schema_registry_key_file",
    "allow_plain_http",
)


class Asked(NamedTuple):
    """What is wanted, and the settings to find the cluster with."""

    settings: Settings
    plan: Plan
    wanted: Wanted


def read_wanted(config: Path | None, flags: dict[str, Any]) -> Asked:
    """From settings and topology, no connection made. Raises ConfigurationError with every mistake."""
    settings = load_settings(config, flags)
    plan = read_plan(settings)
    wanted = wanted_of(plan, schema_folders(settings))
    registry = variable_of("schema_registry_url")
    missing = [text for text in settings.missing() if wanted.subjects or not text.startswith(registry)]
    if missing:
        raise ConfigurationError(missing)
    return Asked(settings, plan, wanted)


def read_plan(settings: Settings) -> Plan:
    """The topology, without what only a running consumer needs. Raises ConfigurationError with every mistake."""
    directory, schemas = schema_folders(settings)
    return load_plan(
        directory,
        settings.environment,
        schemas=schemas,
        resolve=False,
        allow_plain_http=settings.allow_plain_http,
    )


def schema_folders(settings: Settings) -> tuple[Path, Path]:
    """Where schemas lie: beside the topology, and in the folder of their own."""
    return settings.topology or topology_dir(), settings.schemas or schemas_dir()


def find_difference(asked: Asked) -> Changes:
    """What the cluster and the registry lack. Blocks."""

    async def find() -> Changes:
        async with _connected(asked) as (cluster, registry):
            return await difference(asked.wanted, cluster, registry)

    return asyncio.run(find())


def make(asked: Asked, changes: Changes, told: Callable[[Change], None]) -> None:
    """Carry the changes out. Blocks."""

    async def work() -> None:
        async with _connected(asked) as (cluster, registry):
            await carry_out(changes, cluster, registry, told)

    asyncio.run(work())


def refuse_if_unsafe(changes: Changes) -> None:
    """Raises RefusedError where something was asked for that deletes or shrinks."""
    if count := len(changes.refusals):
        what = "one thing" if count == 1 else f"{count} things"
        raise RefusedError(f"{what} asked for would delete or shrink, or cannot be had: nothing is changed")


def agree(changes: Changes, *, yes: bool) -> None:
    """Ask on a terminal, unless the answer was given before. Raises RefusedError where it is not yes."""
    if yes:
        return
    count = len(changes.changes)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise RefusedError("nothing is changed without being asked to: look at the plan, then give --yes")
    if not click.confirm(f"Make {'this change' if count == 1 else f'these {count} changes'}?", err=True):
        raise RefusedError("nothing was changed")


def tell(change: Change) -> None:
    """One change that is made, on stderr."""
    click.echo("done: {} {}: {}".format(*described(change)), err=True)


@asynccontextmanager
async def _connected(asked: Asked) -> AsyncIterator[tuple[Cluster, Registry | None]]:
    settings = asked.settings
    cluster = Cluster(settings.bootstrap_servers or "", settings.kafka_options)
    registry = registry_of(settings) if asked.wanted.subjects else None
    try:
        yield cluster, registry
    finally:
        if registry is not None:
            registry.close()
