"""Fairness between processes that write one file."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.ledger import sqlite_turn
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
    busy.take()
    busy.give()
    time.sleep(LONGER_THAN_A_TURN_S)
    waiting.take()  # and now it waits for SQLite's lock
    begun: list[str] = []

    def begin_again() -> None:
        busy.take()
        begun.append("busy")

    thread = threading.Thread(target=begin_again)
    thread.start()
    time.sleep(LONGER_THAN_A_TURN_S)
    begun.append("waiting")
    waiting.give()
    thread.join()
    assert begun == ["waiting", "busy"]


def test_a_turn_lasts_so_that_not_every_transaction_changes_hands(
    turns: tuple[Turn, Turn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_turn, "_TURN_S", 60.0)
    monkeypatch.setattr(sqlite_turn, "_MOST_WAIT_S", 20.0)
    busy, waiting = turns
    busy.take()
    busy.give()
    waiting.take()
    started_s = time.monotonic()
    busy.take()
    assert time.monotonic() - started_s < 10.0


def test_a_holder_that_is_stopped_delays_the_others_once_and_not_at_each_transaction(
    turns: tuple[Turn, Turn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_turn, "_MOST_WAIT_S", 1.0)
    monkeypatch.setattr(sqlite_turn, "_WITHOUT_S", 60.0)
    stopped, other = turns
    stopped.take()
    started_s = time.monotonic()
    for _ in range(20):
        other.take()
        other.give()
        time.sleep(LONGER_THAN_A_TURN_S)
    assert time.monotonic() - started_s < 10.0, "and not a second each time"


def test_who_did_without_a_turn_takes_part_again_once_it_is_given_back(turns: tuple[Turn, Turn]) -> None:
    stopped, other = turns
    stopped.take()
    other.take()
    stopped.give()
    time.sleep(LONGER_THAN_A_TURN_S)
    other.take()
    began_s = time.monotonic()
    stopped.take()  # waits for it again
    assert time.monotonic() - began_s > LONGER_THAN_A_TURN_S


def test_without_a_folder_to_write_to_there_is_no_turn_to_wait_for(tmp_path: Path) -> None:
    turn = Turn(tmp_path / "missing" / "ledger.db")
    turn.take()
    turn.give()
    turn.close()
