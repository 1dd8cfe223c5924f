"""One consumer process: the app, and around it its ledger, registry, traces, admin port and signals."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consumer.admin.answers import Answers
from consumer.admin.server import AdminServer
from consumer.app import App, AppConfig, reservation_age_s
from consumer.avro.address import RegistryAddress
from consumer.avro.native import Absent, find_native, reader_in_use
from consumer.avro.registry import Registry
from consumer.cli.kafka_rotation import KafkaRotation
from consumer.cli.reloading import Reloading
from consumer.clock import SystemClock
from consumer.core.books import Books
from consumer.errors import ConfigurationError, StoppedError
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.valkey_address import Access
from consumer.settings import Settings
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.redaction import Redactor
from consumer.telemetry.trace_setup import traces_from_environment
from consumer.topology.plan import Plan

_LOG = logging.getLogger("consumer.run")


SWITCH_INTERVAL_S = 0.0005
"""How long the event loop may keep the interpreter's lock while the ledger's or the owner's thread waits for it. By
default it is 5 ms, and a transaction asks for it several times: that would take ten times as long as the disk does."""


Attend = Callable[[tuple[str, int], App], None]
"""Is told the address of the admin port, and what runs."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its books, and what stopped it before its work was done."""

    books: Books
    seconds: float
    stopped: StoppedError | None


async def serve(
    settings: Settings,
    load: Callable[[], Plan],
    folders: Sequence[Path],
    plan: Plan,
    config: AppConfig,
    redactor: Redactor,
    attend: Attend = lambda address, app: None,
) -> Ended:
    """Run until a signal, the end that was asked for, or a fault; the first signal drains.

    load: reads the topology again, on SIGHUP or when what it is made of, in `folders`, has changed. attend: called
    once, when the admin port is open and signals drain.

    Raises ConfigurationError for an address, a file or a variable that cannot be used, and the fault that
    ended it.
    """
    ledger = open_ledger(
        settings.ledger_url,
        settings.consumer_group,
        ledger_policy_of(settings, plan),
        SystemClock(),
        ledger_access_of(settings),
    )
    metrics = Metrics()
    traces = traces_from_environment(settings.consumer_group, metrics.spans_dropped)
    registry = registry_of(settings, redactor.learn)
    app = App(
        config,
        plan,
        ledger,
        registry,
        _LOG.warning,
        metrics=metrics,
        tracing=traces.tracing,
        learn=redactor.learn,
    )
    reloading = Reloading(folders, load, app.reload, plan.version)
    # Before anyone can know that we run: a signal that comes first would end us without a word.
    _drain_on_signals(app, config.kafka.drain_timeout_s)
    _reload_on_hang_up(app, reloading)
    host, _, port = settings.admin_listen.rpartition(":")
    admin = AdminServer(Answers(app.status, metrics), host.strip("[]"), int(port))
    address = await admin.start()
    _LOG.info(
        "started",
        extra={
            "admin": "{}:{}".format(*address),
            "topology": plan.version,
            "group": settings.consumer_group,
            "avro_reader": reader_in_use(config.avro.native),
        },
    )
    if config.avro.native and isinstance(native := find_native(), Absent) and native.problem:
        _LOG.warning(native.problem)
    attend(address, app)
    spare_the_collector()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    watching = asyncio.gather(reloading.run(), *_rotations(settings, app))
    try:
        return await _run(app)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await admin.stop()
        registry.close()
        await asyncio.to_thread(traces.close)


def _rotations(settings: Settings, app: App) -> list[Coroutine[Any, Any, None]]:
    """What looks for exchanged credentials. Blocks on files."""
    if settings.kafka_properties is None:
        return []
    return [KafkaRotation(settings.kafka_properties, settings.kafka_options, app.use_credentials).run()]


def spare_the_collector() -> None:
    """Records make no cycles, but tens of thousands of them wait at a time: by default, the collector would walk them
    again and again for nothing, a tenth of all time. What was made until now stays for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _run(app: App) -> Ended:
    stopped: StoppedError | None = None
    try:
        books = await app.run()
    except StoppedError as error:
        stopped, books = error, app.coordinator.count()
    _LOG.info("stopped", extra={"settled": books.settled, "abandoned": books.abandoned})
    return Ended(books, app.status.seconds, stopped)


def _drain_on_signals(app: App, drain_timeout_s: float) -> None:
    loop = asyncio.get_running_loop()

    def drain(number: signal.Signals) -> None:
        _LOG.info(
            f"{number.name}: stopping; what is on the wire is awaited, {drain_timeout_s:g} s at most",
        )
        app.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, drain, number)


def ledger_access_of(settings: Settings) -> Access:
    """What a ledger on a server may ask of us beside its URL."""
    return Access(
        settings.ledger_password,
        settings.ledger_ca_file,
        settings.ledger_certificate_file,
        settings.ledger_key_file,
    )


def ledger_policy_of(settings: Settings, plan: Plan) -> LedgerPolicy:
    """What the ledger is allowed. Whoever opens it must agree: a shorter `keep` would delete what others still need."""
    return LedgerPolicy(
        reservation_age_s=reservation_age_s(plan),
        key_keep_s=settings.ledger_keep_keys_ms // 1000,
        window_keep_s=settings.ledger_keep_windows_ms // 1000,
        once_keep_s=settings.ledger_keep_once_ms // 1000,
    )


def _reload_on_hang_up(app: App, reloading: Reloading) -> None:
    """SIGHUP reloads; but when the terminal that it was started on is gone, it means that, and nobody is there."""
    had_terminal = os.isatty(0)

    def hang_up() -> None:
        if had_terminal and not os.isatty(0):
            _LOG.info("SIGHUP: the terminal is gone: stopping")
            app.stop()
        else:
            reloading.ask()

    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hang_up)


def registry_of(settings: Settings, learn: Callable[[list[str]], None] = lambda _: None) -> Registry:
    """A client of the schema registry; `learn` is told credentials that come into use later.

    Raises ConfigurationError for a certificate or key that is none.
    """
    password_file = settings.secret_file("schema_registry_basic_auth")
    files = {
        "SCHEMA_REGISTRY_CA_FILE": settings.schema_registry_ca_file,
        "SCHEMA_REGISTRY_CERTIFICATE_FILE": settings.schema_registry_certificate_file,
        "SCHEMA_REGISTRY_KEY_FILE": settings.schema_registry_key_file,
    }
    given = {name: str(file) for name, file in files.items() if file is not None}
    unreadable = [name for name, file in given.items() if not os.access(file, os.R_OK)]
    if unreadable:
        raise ConfigurationError([f"{name}: the file {given[name]} can't be read" for name in unreadable])
    try:
        return Registry(
            RegistryAddress(
                url=settings.schema_registry_url or "",
                basic_auth=settings.schema_registry_basic_auth,
                basic_auth_file=None if password_file is None else str(password_file),
                ca_file=given.get("SCHEMA_REGISTRY_CA_FILE"),
                certificate_file=given.get("SCHEMA_REGISTRY_CERTIFICATE_FILE"),
                key_file=given.get("SCHEMA_REGISTRY_KEY_FILE"),
            ),
            on_credentials=learn,
        )
    except (OSError, ValueError) as error:
        # ssl.SSLError is an OSError; what it says names neither the file nor the setting.
        shown = ", ".join(f"{name}={file}" for name, file in given.items()) or "SCHEMA_REGISTRY_URL"
        raise ConfigurationError([f"schema registry: {error}; look at {shown}: files must be PEM"]) from None
