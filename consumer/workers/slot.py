"""One worker's place: the process that fills it now, and what those before it have left."""

from collections.abc import Iterable
from typing import Any

import msgspec
from prometheus_client.core import Metric

from consumer.admin.client import Answer
from consumer.clock import Clock
from consumer.core.books import Books
from consumer.errors import ConsumerError
from consumer.workers import metrics_sum
from consumer.workers.books_sum import add_up, books_of, given_up
from consumer.workers.reports import Beat, Started
from consumer.workers.restarts import describe
from consumer.workers.worker_process import End, WorkerProcess


class Slot:
    """What is known of one worker. Only the event loop touches it."""

    def __init__(self, number: int, clock: Clock) -> None:
        self.number = number
        self.process: WorkerProcess | None = None
        self.state = "starting"
        """starting, running, waiting (to be started again) or ended."""
        self.restarts = 0
        self.joined = False
        """Whether a process of it has ever joined the group."""
        self.exit_code: int | None = None
        """Of the process that ended last."""
        self.failure: ConsumerError | None = None
        """Why it ended for good, unless all went well."""
        self.status: dict[str, Any] | None = None
        """What the process that runs said of itself last."""
        self.lag: int | None = None
        self.answers = False
        """Whether it answered the last question."""
        self.health: dict[str, tuple[bool, str]] = {}
        """By /ready and /live."""
        self.past_metrics: list[Metric] = []
        """What the processes of before have counted."""
        self._metrics = b""
        self._now = Books()
        self._past = Books()
        self._clock = clock
        self._since_s = clock.monotonic_s()

    # --- its life ---

    def fill(self, process: WorkerProcess) -> None:
        """A process has been started for it."""
        self.process, self.state = process, "starting"
        self._since_s = self._clock.monotonic_s()

    @property
    def lived_s(self) -> float:
        """How long its process has lived so far."""
        return self._clock.monotonic_s() - self._since_s

    @property
    def address(self) -> tuple[str, int] | None:
        """Where its process can be asked; None before it said so, and after it ended."""
        process = self.process
        if process is None or process.started is None or not process.running:
            return None
        if self.state in ("waiting", "ended"):
            return None
        return process.started.host, process.started.port

    def empty(self, end: End) -> None:
        """Its process has ended. What it counted stays: its last word, else what it said when it was asked last."""
        self.state, self.exit_code = "ended", end.code
        self.past_metrics = metrics_sum.add_up({"": metrics_sum.counted(self.metrics)}, self.past_metrics)
        if end.books is not None:
            self._now = books_of(end.books)
        self.answers, self.health, self.status, self.lag, self._metrics = False, {}, None, None, b""

    def wait(self) -> None:
        """It will be started again: what was in flight comes again."""
        self.state = "waiting"
        self._past, self._now = add_up([self._past, given_up(self._now)]), Books()
        self.restarts += 1

    # --- what it says ---

    def take(self, report: Started | Beat) -> None:
        """Its process has something to tell."""
        match report:
            case Started():
                self.state = "running"
            case Beat():
                self._now, self.lag = books_of(report.books), report.lag
                self.joined |= report.joined

    def hear(self, process: WorkerProcess, path: str, answer: Answer | None) -> None:
        """What a process answered, None where it did not; what was known then stays.

        An answer that comes after the end of its process is left out: it is counted already.
        """
        if process is not self.process or self.address is None:
            return
        self.answers = answer is not None
        if path in ("/ready", "/live"):
            self.health[path] = (False, "does not answer") if answer is None else _health(answer)
        elif answer is not None and answer.status == 200:
            if path == "/metrics":
                self._metrics = answer.body
            else:
                self.status = msgspec.json.decode(answer.body)
                self._now = books_of(self.status)

    def well(self, path: str) -> tuple[bool, str]:
        """Its last answer to /ready or /live, and the reason; of a process that has ended there is none."""
        if self.state == "running" and self.address is None:
            return False, "has ended"
        return self.health.get(path, (False, f"is {self.state}"))

    @property
    def books(self) -> Books:
        """All that was counted in this place."""
        return add_up([self._past, self._now])

    @property
    def metrics(self) -> list[Metric]:
        """Of the process that runs, as it told them last."""
        return metrics_sum.read_metrics(self._metrics.decode())

    def as_json(self) -> dict[str, Any]:
        """For /status."""
        address = self.address
        running = self.process is not None and self.process.running
        return {
            "worker": self.number,
            "state": self.state,
            "answers": self.answers,
            "pid": self.process.pid if running and self.process is not None else None,
            "admin": None if address is None else "{}:{}".format(*address),
            "restarts": self.restarts,
            "last_end": None if self.exit_code is None else describe(self.exit_code),
            "status": self.status,
        }


def of_all(slots: Iterable[Slot]) -> Books:
    """Their books as one."""
    return add_up(slot.books for slot in slots)


def _health(answer: Answer) -> tuple[bool, str]:
    reason = msgspec.json.decode(answer.body, type=dict[str, Any]).get("reason", "")
    return answer.status == 200, str(reason)
