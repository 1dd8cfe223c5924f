"""Keeps the workers running, and ends them together."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence

import msgspec

from consumer.clock import Clock
from consumer.errors import ConsumerError, FaultError, StoppedError
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
from consumer.workers.worker_process import WorkerProcess

Spawn = Callable[[int, float | None, Callable[[], None]], WorkerProcess]
"""Starts a worker by its number; what is left of `--timeout`, in seconds; what to call when it has started."""

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
            process = slot.process
            assert process is not None
            code = await process.ended()
            failures = 1 if slot.lived_s >= self._policy.restarts.steady_s else failures + 1
            was_told = process.started is not None
            slot.empty(code)
            if self._stopping.is_set():
                slot.failure = self._after_stop(slot, code, process, was_told)
                return
            if not await self._goes_on(slot, code, process, failures):
                return

    def _start(self, slot: Slot) -> WorkerProcess:
        left_s = None if self._deadline_s is None else max(1.0, self._deadline_s - self._clock.monotonic_s())

        def started() -> None:
            slot.state = "running"

        return self._spawn(slot.number, left_s, started)

    async def _goes_on(self, slot: Slot, code: int, process: WorkerProcess, failures: int) -> bool:
        """Whether it is to be started again, now: the delay has passed."""
        any_was_ready = any(one.was_ready for one in self._slots)
        step = next_step(
            self._policy.restarts,
            code,
            failures=failures,
            until_end=self._policy.until_end,
            any_was_ready=any_was_ready,
        )
        match step:
            case Over():
                return False
            case EndAll():
                slot.failure = error_of(slot.number, code, _findings(process))
                self._tell(slot, code, process, "all end")
                self.stop()
                return False
            case Again(after_s):
                slot.wait()
                self._tell(slot, code, process, f"it is started again in {after_s:g} s")
                try:
                    await asyncio.wait_for(self._stopping.wait(), after_s)
                except TimeoutError:
                    return True
                slot.state = "ended"
                return False

    def _after_stop(
        self, slot: Slot, code: int, process: WorkerProcess, was_told: bool
    ) -> ConsumerError | None:
        """How bad an end is that was asked for."""
        if code == 0 or (code == -signal.SIGTERM and not was_told):
            return None  # drained; or there was nothing to drain yet
        self._tell(slot, code, process, "what is not settled comes again at the next start")
        if code > 0:
            return error_of(slot.number, code, _findings(process))
        return StoppedError(
            f"worker {slot.number} {describe(code)} before it had drained; "
            "what is not settled comes again at the next start"
        )

    def _tell(self, slot: Slot, code: int, process: WorkerProcess, next_text: str) -> None:
        findings = _findings(process)
        said = f": {' '.join(findings)}" if findings else ""
        _LOG.warning(
            f"worker {slot.number} {describe(code)}{said}; {next_text}",
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


def _findings(process: WorkerProcess) -> list[str]:
    return [] if process.last_word is None else process.last_word.findings
