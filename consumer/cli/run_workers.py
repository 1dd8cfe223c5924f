"""The parent of `run --workers N`."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from consumer.admin.server import AdminServer
from consumer.app import LEAVING_S
from consumer.cli.run_order import Prepared, RunOrder
from consumer.cli.service import ledger_access_of, ledger_policy_of, registry_of
from consumer.cli.worker import WorkerOrder
from consumer.clock import SystemClock
from consumer.errors import ConfigurationError, ConsumerError
from consumer.kafka.config import consumer_config, producer_config
from consumer.ledger.open import open_ledger
from consumer.telemetry.trace_setup import read_settings
from consumer.workers.answers import WorkersAnswers, WorkersStatus
from consumer.workers.looks import Looks
from consumer.workers.progress import Progress
from consumer.workers.reports import Beat, Started
from consumer.workers.slot import Slot, of_all
from consumer.workers.supervisor import Spawn, SupervisionPolicy, Supervisor
from consumer.workers.worker_process import WorkerProcess

_LOG = logging.getLogger("consumer.run")
_ROOT = Path(__file__).resolve().parents[2]
_MARGIN_S = 10.0
"""What a worker may take to end beside its drain and its leaving."""


@dataclass(frozen=True, slots=True)
class Together:
    """How a run of several workers ended."""

    books: dict[str, Any]
    """Of all, in the words of one, and `workers`: each one's."""
    failure: ConsumerError | None


def refuse_what_no_worker_can(prepared: Prepared) -> None:
    """Find here, once, what each worker would find. Opens nothing. Raises UsageError."""
    settings, config = prepared.settings, prepared.config
    if settings.ledger_url.partition(":")[0] == "memory":
        raise ConfigurationError(
            [
                "LEDGER_URL: memory: lies in each worker's own memory, so each would send again what another has "
                "delivered: name one that they share, such as sqlite:///distinct-consumer.db, or run one worker"
            ]
        )
    consumer_config(config.bootstrap_servers, config.kafka_properties, config.kafka)
    producer_config(config.bootstrap_servers, config.kafka_properties)
    policy = ledger_policy_of(settings, prepared.plan)
    open_ledger(
        settings.ledger_url, settings.consumer_group, policy, SystemClock(), ledger_access_of(settings)
    )
    registry_of(settings).close()
    read_settings(os.environ)


async def run_workers(order: RunOrder, prepared: Prepared, count: int) -> Together:
    """Run until a signal, the end that was asked for, or what ends one for good.

    Raises ConfigurationError where the admin port cannot be had.
    """
    settings, clock = prepared.settings, SystemClock()
    slots = [Slot(number, clock) for number in range(1, count + 1)]
    looks = Looks(slots, clock)
    status = WorkersStatus(slots, clock)
    policy = SupervisionPolicy(
        stop_within_s=prepared.config.kafka.drain_timeout_s + LEAVING_S + _MARGIN_S,
        until_end=order.until_end,
        timeout_s=order.timeout_s,
    )
    supervisor = Supervisor(slots, _spawn(order), policy, clock)
    # Before anyone can know that we run: a signal that comes first would end us without a word.
    _obey_signals(supervisor, policy.stop_within_s)
    host, _, port = settings.admin_listen.rpartition(":")
    admin = AdminServer(WorkersAnswers(slots, looks, clock), host.strip("[]"), int(port))
    address = await admin.start()
    _LOG.info(
        "started",
        extra={
            "admin": "{}:{}".format(*address),
            "topology": prepared.plan.version,
            "group": settings.consumer_group,
            "workers": count,
        },
    )
    watching = asyncio.create_task(Progress(slots, looks, settings.consumer_group, clock).run())
    try:
        failure = await supervisor.run()
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await admin.stop()
    books = of_all(slots)
    _LOG.info("stopped", extra={"settled": books.settled, "abandoned": books.abandoned})
    return Together({**books.as_json(status.seconds), "workers": [_shown(slot) for slot in slots]}, failure)


def _shown(slot: Slot) -> dict[str, Any]:
    books = slot.books
    return {
        "worker": slot.number,
        "exit_code": slot.exit_code,
        "restarts": slot.restarts,
        "consumed": books.consumed,
        "settled": books.settled,
        "in_flight": books.in_flight,
        "abandoned": books.abandoned,
        "balanced": books.balanced,
    }


def _spawn(order: RunOrder) -> Spawn:
    def spawn(
        number: int, left_s: float | None, on_report: Callable[[Started | Beat], None]
    ) -> WorkerProcess:
        told = WorkerOrder(number, msgspec.structs.replace(order, timeout_s=left_s))
        # Fresh interpreters: Kafka's client and the threads do not survive a fork. The number shows in a list of
        # processes, and is not read.
        command = [sys.executable, "-P", "-m", "consumer.cli.worker", str(number)]
        return WorkerProcess(command, _environment(number), msgspec.json.encode(told) + b"\n", on_report)

    return spawn


def _environment(number: int) -> dict[str, str]:
    """This process's, with what lets the worker find this very package, and its spans say whose they are."""
    names = os.environ.get("OTEL_RESOURCE_ATTRIBUTES")
    path = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(_ROOT), path]) if path else str(_ROOT),
        "OTEL_RESOURCE_ATTRIBUTES": f"{names + ',' if names else ''}distinct_consumer.worker={number}",
    }


def _obey_signals(supervisor: Supervisor, within_s: float) -> None:
    loop = asyncio.get_running_loop()
    had_terminal = os.isatty(0)

    def drain(number: signal.Signals) -> None:
        _LOG.info(f"{number.name}: stopping; all workers drain, {within_s:g} s at most")
        supervisor.stop()

    def hang_up() -> None:
        if had_terminal and not os.isatty(0):
            _LOG.info("SIGHUP: the terminal is gone: stopping")
            supervisor.stop()
        else:
            supervisor.hang_up()

    # Where whoever started us ignores it, nobody could say how a worker has ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, drain, number)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
