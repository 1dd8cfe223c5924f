"""`check --online`: what brokers, registry, ledger and receivers say to the topology."""

import asyncio
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from consumer.cli.provisioning import schema_folders
from consumer.cli.service import ledger_access_of, ledger_policy_of, registry_of
from consumer.clock import SystemClock
from consumer.errors import ConfigurationError, FaultError
from consumer.kafka.admin import Cluster
from consumer.operations.observation import Observation
from consumer.operations.observe_cluster import observe_cluster, observe_registry
from consumer.operations.observe_credentials import observe_credential
from consumer.operations.observe_ledger import observe_ledger
from consumer.pipeline.ways import SENDERS
from consumer.settings import Settings
from consumer.topology.plan import Plan
from consumer.topology.wanted import wanted_of

ONLINE_SETTINGS = (
    "kafka_bootstrap_servers",
    "kafka_properties",
    "consumer_group",
    "schema_registry_url",
    "schema_registry_ca_file",
    "schema_registry_certificate_file",
    "schema_registry_key_file",
    "ledger_url",
    "ledger_ca_file",
    "ledger_certificate_file",
    "ledger_key_file",
    "ledger_keep_keys",
    "ledger_keep_windows",
    "ledger_keep_once",
    "http_client",
)
"""What --online needs beside what the offline check takes."""


def observe(settings: Settings, plan: Plan) -> list[Observation]:
    """Ask everything at once; nothing is changed. Blocks. Raises ConfigurationError for an address that is missing."""
    if missing := settings.missing():
        raise ConfigurationError(missing)
    return asyncio.run(_observe(settings, plan))


async def _observe(settings: Settings, plan: Plan) -> list[Observation]:
    wanted = wanted_of(plan, schema_folders(settings))
    cluster = Cluster(settings.bootstrap_servers or "", settings.kafka_options)
    registry = registry_of(settings)
    clock = SystemClock()
    policy = ledger_policy_of(settings, plan)
    try:
        credentials = asyncio.gather(
            *(
                observe_credential(one, settings.environment, SENDERS[settings.http_client], clock)
                for one in plan.destinations.values()
            )
        )
        topics, subjects, ledger = await asyncio.gather(
            observe_cluster(wanted, cluster),
            observe_registry(wanted, registry),
            observe_ledger(
                settings.ledger_url, settings.consumer_group, policy, clock, ledger_access_of(settings)
            ),
        )
        return [*topics, *subjects, ledger, *await credentials]
    finally:
        registry.close()


def print_observations(seen: list[Observation], console: Console) -> None:
    """One line each, what failed as well."""
    console.print("Online")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in seen:
        table.add_row(one.state, f"{one.area} {one.name}".strip(), one.text)
    console.print(table, markup=False)


def observations_as_json(seen: list[Observation]) -> list[Any]:
    """As they are."""
    return [msgspec.to_builtins(one) for one in seen]


def fail_if_any_failed(seen: list[Observation]) -> None:
    """Raises FaultError that counts what failed."""
    failed = sum(one.state == "failed" for one in seen)
    if failed:
        raise FaultError(f"online: {failed} of {len(seen)} failed")
