"""What has stopped turning: the event loop, the Kafka thread, a call of the ledger; found by a thread of its own, as a
blocked loop can tell nobody."""

import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from consumer.core.pulse import Pulse, ran_s
from consumer.kafka.owner import Owner
from consumer.pipeline.timed_ledger import TimedLedger
from consumer.telemetry.frames import functions_of, thread_named

_LOG = logging.getLogger("consumer.watch")
INTERVAL_S = 0.5
LEAST_S = 1.0
"""Below this a loop that is merely busy would be told: it beats, and is looked at, a few times a second only."""
LEDGER_AFTER_S = 30.0
"""Well above what a call may wait for another process's lock before it is answered with a failure."""


class Stall(NamedTuple):
    """One that lasts. `at`: the functions that its thread was in when it was found."""

    what: str
    at: str
    seconds: float


class _Watched:
    __slots__ = ("at", "beat", "next_step", "pulse", "thread_id", "what")

    def __init__(
        self,
        what: str,
        limit_s: float,
        beat: Callable[[], float | None],
        thread_id: Callable[[], int | None],
        next_step: str,
    ) -> None:
        self.what = what
        self.pulse = Pulse(limit_s)
        self.beat = beat
        self.thread_id = thread_id
        self.next_step = next_step
        self.at: str | None = None
        """Where it was found, while its stall lasts."""


class Stalls:
    """Tells each stall once when it is found, with the names of the functions that its thread is in, and once when it
    is over. Looks twice a second; ends nothing."""

    def __init__(
        self,
        monotonic_s: Callable[[], float] = time.monotonic,
        cpu_s: Callable[[], float] = time.process_time,
    ) -> None:
        self._monotonic_s = monotonic_s
        self._cpu_s = cpu_s
        self._watched: list[_Watched] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._looked = (monotonic_s(), cpu_s())
        self.beats: float | None = None
        """Changes with each turn of the event loop; None before the first."""
        self.counts: dict[str, int] = {}
        """How many stalls there were, by what stalled."""

    def watch(
        self,
        what: str,
        limit_s: float,
        beat: Callable[[], float | None],
        thread_id: Callable[[], int | None],
        next_step: str,
    ) -> None:
        """Before the start: something that is to turn at least every `limit_s`. `beat` gives what changes with each
        turn, or None while there is nothing to turn for; both are called in the watchdog's thread."""
        self._watched.append(_Watched(what, limit_s, beat, thread_id, next_step))
        self.counts[what] = 0

    def beat(self) -> None:
        """The event loop turns: a few times a second."""
        self.beats = (self.beats or 0.0) + 1.0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End it; what is blocked from now on is nobody's trouble. Does not wait. Idempotent."""
        self._stopping.set()

    def standing(self) -> list[Stall]:
        """The stalls that last."""
        return [
            Stall(one.what, one.at, round(one.pulse.stood_s, 1))
            for one in self._watched
            if one.at is not None
        ]

    def look(self) -> None:
        """See what has turned since the last look."""
        now = self._monotonic_s(), self._cpu_s()
        ran = ran_s(now[0] - self._looked[0], now[1] - self._looked[1], INTERVAL_S)
        self._looked = now
        for one in self._watched:
            self._look_at(one, ran)

    def _look_at(self, one: _Watched, ran: float) -> None:
        stood_s = one.pulse.stood_s
        one.pulse.look(one.beat(), ran)
        if one.pulse.stalled and one.at is None:
            one.at = functions_of(one.thread_id())
            self.counts[one.what] += 1
            text = f"{one.what}: has not turned for {one.pulse.stood_s:.1f} s. It is in {one.at or 'no function'}"
            _LOG.error(f"{text}. Next: {one.next_step}", extra={"trouble": one.what, "state": "on"})
        elif not one.pulse.stalled and one.at is not None:
            one.at = None
            extra = {"trouble": one.what, "state": "over", "after_s": round(stood_s, 1)}
            _LOG.warning(f"{one.what}: turns again, after {stood_s:.1f} s", extra=extra)

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL_S):
            try:
                self.look()
            except Exception:  # What only looks on must never end what it looks at.
                _LOG.exception("the watchdog could not look; the consumer goes on")


def stalls_of(loop_after_s: float, kafka_after_s: float, owner: Owner, ledger: TimedLedger) -> Stalls:
    """The watchdog of one process, made in the event loop's thread: call `beat` from there."""
    stalls, loop_thread = Stalls(), threading.get_ident()
    stalls.watch(
        "event loop",
        max(LEAST_S, loop_after_s),
        lambda: stalls.beats,
        lambda: loop_thread,
        "nothing moves meanwhile, and /live does not answer; report this with the line above",
    )
    stalls.watch(
        "Kafka thread",
        kafka_after_s,
        lambda: owner.turned_at_s if owner.turns else None,
        lambda: thread_named("kafka-owner"),
        "look at the brokers; /live turns 503 soon, and a supervisor restarts the process",
    )
    stalls.watch(
        "ledger",
        LEDGER_AFTER_S,
        ledger.oldest_call_s,
        lambda: thread_named("ledger"),
        "look at the ledger's disk or server: a call of it has no answer, and nothing is sent or committed",
    )
    return stalls
