"""The parent's admin port: as a single process's, with the workers added up."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector

from consumer.admin.answers import Answers, Reply
from consumer.clock import Clock
from consumer.telemetry.state import PREFIX
from consumer.workers import metrics_sum
from consumer.workers.looks import Looks
from consumer.workers.slot import Slot, of_all
from consumer.workers.status_sum import status_sum

_ASKED = ("/live", "/ready", "/status", "/metrics")


class WorkersAnswers:
    """Asks the workers first, and answers from what they said; implements the admin server's `Replies`."""

    def __init__(self, slots: Sequence[Slot], looks: Looks, clock: Clock) -> None:
        self._looks = looks
        self._answers = Answers(WorkersStatus(slots, clock), WorkersMetrics(slots))

    async def to(self, method: str, target: str, accept: str) -> Reply:
        """As `Answers.to`. Waits for the workers, no longer than one question to them may take."""
        try:
            path = urlsplit(target).path
        except ValueError:
            path = ""
        if path in _ASKED:
            await self._looks.at(path)
        return await self._answers.to(method, target, accept)


class WorkersStatus:
    """Implements `StatusSource` from what the workers said last."""

    def __init__(self, slots: Sequence[Slot], clock: Clock) -> None:
        self._slots = slots
        self._clock = clock
        self._started_s = clock.monotonic_s()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self._clock.monotonic_s() - self._started_s

    def status(self) -> dict[str, Any]:
        """The words of one process, and `workers`: each with its own document."""
        known = {slot.number: slot.status for slot in self._slots if slot.status is not None}
        books = of_all(self._slots).as_json(self.seconds)
        return {**status_sum(books, known), "workers": [slot.as_json() for slot in self._slots]}

    def live(self) -> tuple[bool, str]:
        """Whether each worker that has started still turns; one that starts or waits is no reason to begin anew."""
        return self._all("/live", [slot for slot in self._slots if slot.address is not None])

    async def ready(self) -> tuple[bool, str]:
        """Whether each worker is ready. One that has done its part is not waited for."""
        return self._all("/ready", [slot for slot in self._slots if slot.state != "ended"])

    def _all(self, path: str, slots: Sequence[Slot]) -> tuple[bool, str]:
        for slot in slots:
            good, reason = slot.well(path)
            if not good:
                return False, f"worker {slot.number}: {reason}"
        return True, "ok"


class WorkersMetrics:
    """The workers' metrics as one instance's, and those of the parent itself."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._slots = slots
        self._own = CollectorRegistry()
        ProcessCollector(registry=self._own)

    def render(self, accept: str) -> tuple[str, bytes]:
        """(content type, text), as `Metrics.render`."""
        families: dict[str, list[Metric]] = {str(slot.number): slot.metrics for slot in self._slots}
        families["parent"] = [*self._own.collect(), *self._of_slots()]
        past = metrics_sum.add_up({str(slot.number): slot.past_metrics for slot in self._slots})
        return metrics_sum.render(metrics_sum.add_up(families, past), accept)

    def _of_slots(self) -> list[Metric]:
        up = GaugeMetricFamily(
            f"{PREFIX}worker_up", "1 while the worker answered the last question.", labels=("worker",)
        )
        restarts = CounterMetricFamily(
            f"{PREFIX}worker_restarts", "How often a worker was started again.", labels=("worker",)
        )
        for slot in self._slots:
            up.add_metric((str(slot.number),), float(slot.answers))
            restarts.add_metric((str(slot.number),), slot.restarts)
        return [up, restarts]
