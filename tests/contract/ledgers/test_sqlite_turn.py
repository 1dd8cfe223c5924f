"""Fairness between processes that write one file."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.ledger.sqlite_turn import Turn

LONGER_THAN_A_TURN_S = 0.03


@pytest.fixture
def turns(tmp_path: Path) -> Iterator[tuple[Turn, Turn]]:
    """The turns of two processes on one ledger."""
    both = Turn(tmp_path / "ledger.db"), Turn(tmp_path / "ledger.db")
    yield both
    for turn in both:
        turn.close()


def test_who_has_just_written_can_not_begin_again_before_the_one_that_waits(turns: tuple[Turn, Turn]) -> None:
    busy, waiting = turns
    busy.take(1.0)
    busy.give()
    time.sleep(LONGER_THAN_A_TURN_S)
    waiting.take(1.0)  # and now it waits for SQLite's lock
    begun: list[str] = []

    def begin_again() -> None:
        busy.take(10.0)
        begun.append("busy")

    thread = threading.Thread(target=begin_again)
    thread.start()
    time.sleep(LONGER_THAN_A_TURN_S)
    begun.append("waiting")
    waiting.give()
    thread.join()
    assert begun == ["waiting", "busy"]


def test_a_turn_lasts_so_that_not_every_transaction_changes_hands(turns: tuple[Turn, Turn]) -> None:
    busy, waiting = turns
    busy.take(1.0)
    busy.give()
    waiting.take(1.0)
    started_s = time.monotonic()
    busy.take(10.0)
    assert time.monotonic() - started_s < 5.0


def test_a_holder_that_is_stopped_delays_the_others_and_no_more(turns: tuple[Turn, Turn]) -> None:
    stopped, other = turns
    stopped.take(1.0)
    other.take(0.05)


def test_without_a_folder_to_write_to_there_is_no_turn_to_wait_for(tmp_path: Path) -> None:
    turn = Turn(tmp_path / "missing" / "ledger.db")
    turn.take(1.0)
    turn.give()
    turn.close()
