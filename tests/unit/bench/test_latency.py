"""The pace of the latency bench: its rate is kept, each stamp is the record's own moment, and it waits for the last."""

import time
from typing import Any

import pytest

from bench.identity import Identities
from bench.latency import Pace
from bench.receiver import Tally
from consumer.clock import ManualClock
from consumer.errors import FaultError

PER_SECOND = 100.0
FRAME = bytes(5) + b"\x48"


class Wire:
    """A producer and a receiver that has at once what was produced, but for what is withheld."""

    def __init__(self) -> None:
        self.values: list[bytes] = []
        self.flushes = 0
        self.withheld = 0

    def produce(self, topic: str, value: bytes, key: bytes) -> None:
        self.values.append(value)

    def poll(self, timeout: float) -> int:
        return 0

    def flush(self, timeout: float) -> int:
        self.flushes += 1
        return 0

    def counts(self) -> Tally:
        return Tally(accepted=max(0, len(self.values) - self.withheld))


class Run:
    """A pace whose looks are so many seconds apart."""

    def __init__(self, records: int) -> None:
        self.clock = ManualClock()
        self.wire = Wire()
        ends: Any = self.wire
        identities = Identities()
        made = [(b"ann", FRAME + identities.next(b"ann") + b"rest") for _ in range(records)]
        self.pace = Pace(made, "topic", PER_SECOND, ends, ends, self.clock)

    def look(self, seconds: float, every_s: float = 0.002) -> bool:
        """Whether it was over within that time."""
        for _ in range(round(seconds / every_s)):
            self.clock.advance(every_s)
            if self.pace.look():
                return True
        return False

    @property
    def produced(self) -> int:
        return len(self.wire.values)


def test_nothing_but_the_first_record_is_produced_until_that_one_arrived() -> None:
    run = Run(1_000)
    run.wire.withheld = 1
    run.look(5.0)
    assert run.produced == 1
    run.wire.withheld = 0
    run.look(1.0)
    assert run.produced > 1


def test_a_consumer_that_delivers_nothing_ends_the_run() -> None:
    run = Run(1_000)
    run.wire.withheld = 1
    with pytest.raises(FaultError, match="delivered nothing within 30 s"):
        run.look(31.0)


@pytest.mark.parametrize("every_s", [0.002, 0.05])
def test_the_rate_is_kept_however_often_it_is_looked_at(every_s: float) -> None:
    run = Run(1_000)
    run.look(0.2, every_s)
    before = run.produced
    run.look(4.0, every_s)
    assert run.produced - before == pytest.approx(4.0 * PER_SECOND, abs=1)


def test_what_a_pause_held_up_is_made_up_for() -> None:
    run = Run(1_000)
    run.look(1.0)
    before = run.produced
    run.clock.advance(2.0)
    run.look(1.0)
    assert run.produced - before == pytest.approx(3.0 * PER_SECOND, abs=1)


def test_it_says_the_rate_that_it_really_had() -> None:
    run = Run(301)
    assert run.look(5.0)
    assert run.pace.produced_per_second == pytest.approx(PER_SECOND, rel=0.01)


def test_a_rate_that_could_not_be_kept_is_no_measurement() -> None:
    run = Run(301)
    run.look(1.0)
    run.clock.advance(20.0)
    with pytest.raises(FaultError, match=r"only \d+ of 100 records/s were produced"):
        run.look(1.0)


def test_each_record_has_the_moment_at_which_it_was_produced_and_is_else_as_it_was() -> None:
    run = Run(1_000)
    stamps = []
    mask = (1 << 44) - 1
    while run.produced < 20:
        before_us, produced = time.time_ns() // 1000 & mask, run.produced
        run.look(0.002)
        for value in run.wire.values[produced:]:
            stamp = int(value[31:42], 16)
            assert before_us <= stamp <= time.time_ns() // 1000 & mask
            stamps.append(stamp)
    assert len(stamps) == 20
    identities = Identities()
    for value in run.wire.values:
        told = identities.next(b"ann")
        assert value[6:31] == told[:25]
        assert (value[:6], value[42:]) == (FRAME, b"rest")


def test_it_is_over_as_soon_as_all_arrived_and_not_before() -> None:
    run = Run(101)
    run.wire.withheld = 1
    assert not run.look(0.1)
    run.wire.withheld = 0
    run.look(0.5)
    run.wire.withheld = 5
    assert not run.look(2.5)
    assert (run.produced, run.wire.flushes) == (101, 2)
    run.wire.withheld = 0
    assert run.look(0.2)


def test_what_is_still_missing_when_nothing_has_come_for_three_seconds_is_waited_for_no_longer() -> None:
    run = Run(101)
    run.look(0.1)
    run.wire.withheld = 5
    assert not run.look(3.8)
    assert run.look(1.0)
