"""Keeps the workers running, and ends them together."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence

import msgspec

from consumer.clock import Clock
from consumer.errors import ConsumerError, FaultError, StoppedError
from consumer.workers.reports import Beat, Started
from consumer.workers.restarts import (
    Again,
    EndAll,
    Over,
    RestartPolicy,
    describe,
    error_of,
    next_step,
    worst,
)
from consumer.workers.slot import Slot
from consumer.workers.worker_process import End, WorkerProcess

Spawn = Callable[[int, float | None, Callable[[Started | Beat], None]], WorkerProcess]
"""Starts a worker by its number; what is left of `--timeout`, in seconds; who gets its reports."""

_LOG = logging.getLogger("consumer.workers")


class SupervisionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """`stop_within_s`: who was asked to end is killed so much later. `until_end`, `timeout_s`: as of `run`."""

    stop_within_s: float
    until_end: bool = False
    timeout_s: float | None = None
    restarts: RestartPolicy = RestartPolicy()


class Supervisor:
    """Of one event loop."""

    def __init__(self, slots: Sequence[Slot], spawn: Spawn, policy: SupervisionPolicy, clock: Clock) -> None:
        self._slots = slots
        self._spawn = spawn
        self._policy = policy
        self._clock = clock
        self._stopping = asyncio.Event()
        self._told: list[str] = []
        self._deadline_s = None if policy.timeout_s is None else clock.monotonic_s() + policy.timeout_s

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    async def run(self) -> ConsumerError | None:
        """Until all have ended for good; gives the worst of what ended them, None where all went well."""
        keeping = [asyncio.create_task(self._keep(slot)) for slot in self._slots]
        forcing = asyncio.create_task(self._force())
        try:
            await asyncio.gather(*keeping)
        finally:
            forcing.cancel()
            for task in keeping:
                task.cancel()
            self._kill()
        return worst([slot.failure for slot in self._slots if slot.failure is not None])

    def stop(self) -> None:
        """Have all drain and end; `run` returns then. Idempotent."""
        if not self._stopping.is_set():
            self._stopping.set()
            for slot in self._slots:
                if slot.process is not None:
                    slot.process.signal(signal.SIGTERM)

    def hang_up(self) -> None:
        """Have all that have started read their topology again; one that starts reads it anyway."""
        for slot in self._slots:
            if slot.address is not None and slot.process is not None:
                slot.process.signal(signal.SIGHUP)

    async def _keep(self, slot: Slot) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                slot.fill(self._start(slot))
            except OSError as error:
                slot.state = "ended"
                slot.failure = FaultError(f"worker {slot.number}: no process can be had: {error.strerror}")
                self.stop()
                return
            assert slot.process is not None
            end = await slot.process.ended()
            steady = slot.lived_s >= self._policy.restarts.steady_s
            failures = 1 if steady else failures + 1
            slot.empty(end)
            if self._stopping.is_set():
                slot.failure = self._after_stop(slot, end)
                return
            if not await self._goes_on(slot, end, failures):
                return

    def _start(self, slot: Slot) -> WorkerProcess:
        left_s = None if self._deadline_s is None else max(1.0, self._deadline_s - self._clock.monotonic_s())

        return self._spawn(slot.number, left_s, slot.take)

    async def _goes_on(self, slot: Slot, end: End, failures: int) -> bool:
        """Whether it is to be started again, now: the delay has passed."""
        step = next_step(
            self._policy.restarts,
            end.code,
            failures=failures,
            until_end=self._policy.until_end,
            any_joined=any(one.joined for one in self._slots),
        )
        match step:
            case Over():
                return False
            case EndAll():
                slot.failure = error_of(slot.number, end)
                self._told = end.findings  # the last line of the run says it
                self._tell(slot, end, "all end")
                self.stop()
                return False
            case Again(after_s):
                slot.wait()
                self._tell(slot, end, f"it is started again in {after_s:g} s")
                try:
                    async with asyncio.timeout(after_s):
                        await self._stopping.wait()
                except TimeoutError:
                    return True
                slot.state = "ended"
                return False

    def _after_stop(self, slot: Slot, end: End) -> ConsumerError | None:
        """How bad an end is that was asked for."""
        if end.code == 0 or (end.code == -signal.SIGTERM and not end.started):
            return None  # drained; or there was nothing to drain yet
        self._tell(slot, end, "what is not settled comes again at the next start")
        if end.code > 0:
            return error_of(slot.number, end)
        return StoppedError(
            f"worker {slot.number} {describe(end.code)} before it had drained; "
            "what is not settled comes again at the next start"
        )

    def _tell(self, slot: Slot, end: End, next_text: str) -> None:
        # All workers share a configuration and a cluster: what one has said, the others say too.
        said = f": {' '.join(end.findings)}" if end.findings and end.findings != self._told else ""
        _LOG.warning(
            f"worker {slot.number} {describe(end.code)}{said}; {next_text}",
            extra={"worker": slot.number, "restarts": slot.restarts},
        )

    async def _force(self) -> None:
        await self._stopping.wait()
        await asyncio.sleep(self._policy.stop_within_s)
        _LOG.error(f"killing what has not drained in {self._policy.stop_within_s:g} s")
        self._kill()

    def _kill(self) -> None:
        for slot in self._slots:
            if slot.process is not None:
                slot.process.signal(signal.SIGKILL)
