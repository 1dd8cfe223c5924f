"""A thread that stops turning is told once, with the functions that it is in and nothing of its data."""

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from consumer.pipeline.stalls import INTERVAL_S, Stalls

SECRET = "ann@example.com"


class Machine:
    """The clocks that a watchdog reads; a step is one interval between two looks."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.cpu_s = 5.0
        self.beat: float | None = 0.0

    def stalls(self, thread_id: int | None = None) -> Stalls:
        made = Stalls(lambda: self.now_s, lambda: self.cpu_s)
        made.watch("event loop", 5.0, lambda: self.beat, lambda: thread_id, "report this")
        return made

    def step(self, stalls: Stalls, count: int = 1, seconds: float = INTERVAL_S, cpu_s: float = 0.0) -> None:
        for _ in range(count):
            self.now_s += seconds
            self.cpu_s += cpu_s
            stalls.look()


@pytest.fixture
def blocked() -> Iterator[int]:
    """A thread that stands in a function of ours with a user's address in its hands."""
    free, entered = threading.Event(), threading.Event()

    def waits_for_nobody(address: str) -> None:
        entered.set()
        free.wait(30.0)

    thread = threading.Thread(target=waits_for_nobody, args=(SECRET,))
    thread.start()
    entered.wait(30.0)
    assert thread.ident is not None
    yield thread.ident
    free.set()
    thread.join()


def test_a_stall_is_told_once_when_it_is_found_and_once_when_it_is_over(blocked, caplog):
    machine = Machine()
    stalls = machine.stalls(blocked)
    machine.step(stalls, 10)
    assert stalls.standing() == []
    machine.step(stalls, 60)

    (stall,) = stalls.standing()
    assert (stall.what, stall.seconds) == ("event loop", 34.5)
    assert "waits_for_nobody" in stall.at
    machine.beat = 1.0
    machine.step(stalls)
    assert stalls.standing() == []
    assert stalls.counts == {"event loop": 1}
    begin, over = caplog.records
    assert begin.levelno == logging.ERROR
    assert begin.message.startswith("event loop: has not turned for 5.5 s. It is in ")
    assert "waits_for_nobody" in begin.message
    assert begin.message.endswith("Next: report this")
    assert over.message == "event loop: turns again, after 34.5 s"
    assert SECRET not in caplog.text


def test_a_loop_that_turns_slowly_has_not_stalled(caplog):
    machine = Machine()
    stalls = machine.stalls()
    for _ in range(20):
        machine.beat = (machine.beat or 0.0) + 1.0
        machine.step(stalls, 9)
    assert caplog.messages == []


def test_a_process_that_was_stopped_for_an_hour_has_not_stalled(caplog):
    machine = Machine()
    stalls = machine.stalls()
    machine.step(stalls, 4)
    machine.step(stalls, seconds=3_600.0)
    machine.beat = 1.0
    machine.step(stalls, 4)
    assert caplog.messages == []


def test_code_that_keeps_the_interpreter_to_itself_is_found_when_it_lets_go(blocked, caplog):
    machine = Machine()
    stalls = machine.stalls(blocked)
    machine.step(stalls, 2)
    machine.step(stalls, seconds=8.0, cpu_s=8.0)
    assert "has not turned for 8.5 s" in caplog.text


def test_a_watchdog_that_fails_does_not_end_and_tells(caplog):
    stalls = Stalls()

    def fails() -> float:
        raise RuntimeError("it cannot look")

    stalls.watch("event loop", 5.0, fails, lambda: None, "")
    stalls.start()
    deadline_s = time.monotonic() + 20.0
    while len(caplog.records) < 2 and time.monotonic() < deadline_s:
        time.sleep(0.05)
    stalls.stop()
    assert len(caplog.records) >= 2, "it goes on after the first failure"
    assert "the consumer goes on" in caplog.text
