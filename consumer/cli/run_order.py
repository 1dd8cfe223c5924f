"""What `run` was asked for, and all that follows from it before anything is opened."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from consumer.app import AppConfig
from consumer.avro.policy import AvroPolicy
from consumer.cli.secrets_of import secrets_of
from consumer.cli.settings_options import load_settings, option_faults
from consumer.core.pressure import PressurePolicy
from consumer.errors import ConfigurationError
from consumer.kafka.config import KafkaPolicy
from consumer.ledger.sharing import is_shared
from consumer.pipeline.watch import WatchPolicy
from consumer.pipeline.watchdogs import WatchdogPolicy
from consumer.resources import schemas_dir, topology_dir
from consumer.settings import Settings
from consumer.telemetry.logs import configure_logging
from consumer.telemetry.redaction import Redactor
from consumer.topology.isolate import group_of
from consumer.topology.load import load_plan
from consumer.topology.plan import Plan

WORKERS_LISTEN = "127.0.0.1:0"
"""Where a worker's own admin port is: for its parent, and for people on the machine."""


class RunOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The command line of `run`. A worker gets it as JSON, and makes the same of it in the same environment."""

    config: str | None
    flags: dict[str, str | int | bool | None]
    """The settings' flags, by key; no secret can be among them."""
    destination: str | None = None
    accept_ledger: bool = False
    until_end: bool = False
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `serve` needs."""

    settings: Settings
    load: Callable[[], Plan]
    folders: list[Path]
    plan: Plan
    config: AppConfig
    redactor: Redactor


def prepare(order: RunOrder, worker: int | None = None) -> Prepared:
    """Read settings and topology, and set up the logs. Blocks on files.

    worker: its number, where several share the work: what only one process can have is then its own.
    Raises UsageError with every mistake.
    """
    settings = load_settings(None if order.config is None else Path(order.config), dict(order.flags))
    if faults := option_faults(settings):
        raise ConfigurationError(faults)
    settings = settings.model_copy(update=_changes(settings, order.destination, worker))
    if missing := settings.missing():
        raise ConfigurationError(missing)
    folders = [settings.topology or topology_dir(), settings.schemas or schemas_dir()]
    load = partial(
        load_plan,
        folders[0],
        settings.environment,
        schemas=folders[1],
        allow_plain_http=settings.allow_plain_http,
        only=order.destination,
    )
    plan = load()
    keys = [one.credential.read() for one in plan.destinations.values()]
    redactor = Redactor([*keys, *secrets_of(settings)])
    configure_logging(redactor, level=getattr(logging, settings.log_level.upper()))
    # The parent tells the progress of all.
    watch = WatchPolicy() if worker is None else WatchPolicy(progress_s=math.inf)
    return Prepared(settings, load, folders, plan, _app_config(settings, order, watch), redactor)


def _changes(settings: Settings, destination: str | None, worker: int | None) -> dict[str, str]:
    changes: dict[str, str] = {}
    if destination is not None:
        changes["consumer_group"] = group_of(settings.consumer_group, destination)
    if worker is not None:
        changes["admin_listen"] = WORKERS_LISTEN
        if settings.instance_id is not None:
            # Two members of one static id would fence each other out.
            changes["instance_id"] = f"{settings.instance_id}-{worker}"
    return changes


def _app_config(settings: Settings, order: RunOrder, watch: WatchPolicy) -> AppConfig:
    return AppConfig(
        bootstrap_servers=settings.bootstrap_servers or "",
        kafka=KafkaPolicy(
            group=settings.consumer_group,
            instance_id=settings.instance_id,
            protocol=settings.group_protocol,
            drain_timeout_s=settings.drain_timeout_ms / 1000,
        ),
        kafka_properties=settings.kafka_options,
        pressure=PressurePolicy(
            max_pending=settings.max_pending, max_pending_bytes=settings.max_pending_bytes
        ),
        commit_interval_s=settings.commit_interval_ms / 1000,
        http_client=settings.http_client,
        until_end=order.until_end,
        timeout_s=order.timeout_s,
        watchdogs=WatchdogPolicy(
            stuck_after_s=settings.stuck_after_ms / 1000,
            stalled_after_s=settings.stalled_after_ms / 1000,
            commit_interval_s=settings.commit_interval_ms / 1000,
        ),
        accept_ledger=order.accept_ledger,
        ledger_is_shared=is_shared(settings.ledger_url),
        watch=watch,
        avro=AvroPolicy(native=settings.avro_reader == "auto"),
    )
