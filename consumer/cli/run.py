"""`run`: the consumer."""

import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path
from typing import Any

import click
import orjson
import uvloop

from consumer.admin.answers import Answers
from consumer.admin.server import AdminServer
from consumer.app import App, AppConfig, reservation_age_s
from consumer.avro.address import RegistryAddress
from consumer.avro.registry import Registry
from consumer.cli.books import print_books
from consumer.cli.settings_options import load_settings, settings_options
from consumer.clock import SystemClock
from consumer.core.books import Books
from consumer.core.pressure import PressurePolicy
from consumer.errors import ConfigurationError
from consumer.kafka.config import KafkaPolicy
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.resources import schemas_dir, topology_dir
from consumer.settings import Settings
from consumer.telemetry.logs import configure_logging
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.redaction import Redactor
from consumer.telemetry.trace_setup import traces_from_environment
from consumer.topology.load import load_plan
from consumer.topology.plan import Plan

_LOG = logging.getLogger("consumer.run")


@click.command(
    epilog="""\b
Examples:
  export KAFKA_BOOTSTRAP_SERVERS=localhost:9092 SCHEMA_REGISTRY_URL=http://localhost:8081
  export DISTINCT_API_KEY_FILE=/run/secrets/distinct CLIENT_API_KEY_FILE=/run/secrets/client
  distinct-consumer run
  distinct-consumer run --until-end --timeout 600 --output json
"""
)
@settings_options()
@click.option(
    "--accept-ledger",
    is_flag=True,
    help="Go on with a ledger that is behind the broker: duplicates can be sent.",
)
@click.option(
    "--until-end", is_flag=True, help="Stop after the end offsets seen at start, drained and committed."
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    help="With --until-end: give up after so many seconds, exit 3.",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the books are printed at the end.",
)
def run(
    config: Path | None, accept_ledger: bool, until_end: bool, timeout_s: float | None, output: str, **flags: Any
) -> None:  # fmt: skip
    """Consume, deliver, and commit what was acknowledged, until a signal (or the end, with --until-end).

    SIGTERM and SIGINT drain: what is on the wire is awaited, confirmed and committed; then the books are
    printed.
    """
    settings = load_settings(config, flags)
    if missing := settings.missing():
        raise ConfigurationError(missing)
    plan = load_plan(
        settings.topology or topology_dir(),
        settings.environment,
        schemas=settings.schemas or schemas_dir(),
        allow_plain_http=settings.allow_plain_http,
    )
    redactor = Redactor([one.credential.read() for one in plan.destinations.values()])
    configure_logging(redactor, level=getattr(logging, settings.log_level.upper()))
    app_config = _app_config(settings, accept_ledger=accept_ledger, until_end=until_end, timeout_s=timeout_s)
    books, seconds = uvloop.run(_run(settings, plan, app_config))
    out = books.as_json(seconds)
    if output == "json":
        sys.stdout.buffer.write(orjson.dumps(out, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        print_books(out)


def _app_config(
    settings: Settings, *, accept_ledger: bool, until_end: bool, timeout_s: float | None
) -> AppConfig:
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
        until_end=until_end,
        timeout_s=timeout_s,
        accept_ledger=accept_ledger,
    )


async def _run(settings: Settings, plan: Plan, config: AppConfig) -> tuple[Books, float]:
    policy = LedgerPolicy(
        reservation_age_s=reservation_age_s(plan),
        key_keep_s=settings.ledger_keep_keys_ms // 1000,
        window_keep_s=settings.ledger_keep_windows_ms // 1000,
        once_keep_s=settings.ledger_keep_once_ms // 1000,
    )
    ledger = open_ledger(settings.ledger_url, settings.consumer_group, policy, SystemClock())
    metrics = Metrics()
    traces = traces_from_environment(settings.consumer_group, metrics.spans_dropped)
    registry = Registry(_registry_address(settings))
    app = App(config, plan, ledger, registry, _LOG.warning, metrics=metrics, tracing=traces.tracing)
    host, _, port = settings.admin_listen.rpartition(":")
    admin = AdminServer(Answers(app.status, metrics), host.strip("[]"), int(port))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, app.stop)
    address = await admin.start()
    _LOG.info("started", extra={"admin": "{}:{}".format(*address), "topology": plan.version})
    try:
        books = await app.run()
    finally:
        await admin.stop()
        registry.close()
        await asyncio.to_thread(traces.close)
    return books, app.status.seconds


def _registry_address(settings: Settings) -> RegistryAddress:
    def path(value: Path | None) -> str | None:
        return None if value is None else str(value)

    return RegistryAddress(
        url=settings.schema_registry_url or "",
        basic_auth=settings.schema_registry_basic_auth,
        ca_file=path(settings.schema_registry_ca_file),
        certificate_file=path(settings.schema_registry_certificate_file),
        key_file=path(settings.schema_registry_key_file),
    )
