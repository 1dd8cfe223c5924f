"""What a call takes: each statement may wait for the interpreter's lock, half a millisecond beside a busy loop."""

from unittest.mock import Mock

import pytest

from consumer.core.claims import Once
from consumer.core.reservations import decide
from consumer.ledger import sqlite_reserve
from consumer.ledger.ledger import Intent
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite_file import SqliteFile
from consumer.ledger.sqlite_reserve import reserve
from consumer.ledger.sqlite_settle import confirm
from consumer.ledger.sqlite_tables import Tables

NOON_MS, WINDOW_MS = 1_800_000_000_000, 1_200_000
SCOPE = bytes(16)


def opened(number: int, at_ms: int, length_ms: int | None = WINDOW_MS) -> Intent:
    """An open of the one user."""
    return Intent(
        bytes([number] * 16), "events", 0, number, 0, "opens", Once(SCOPE, NOON_MS + at_ms, length_ms)
    )


def statements(file: SqliteFile, intents: list[Intent]) -> tuple[int, int]:
    """How many a call of these takes, once a call of others has filled the caches; and how many it grants."""
    with file.transaction(writes=True, durable=False) as connection:
        tables = Tables(connection, "group", LedgerPolicy(reservation_age_s=60.0), "boot")
        reserve(tables, [Intent(bytes([99] * 16), "events", 0, 99, 0, "opens")])
        seen: list[str] = []
        connection.set_trace_callback(seen.append)
        refused = reserve(tables, intents).refused
        connection.set_trace_callback(None)
    return len(seen), len(intents) - len(refused)


def test_opens_of_one_user_that_are_a_window_apart_take_one_statement_together(file) -> None:
    assert statements(file, [opened(number, number * WINDOW_MS) for number in range(3)]) == (1, 3)


@pytest.mark.parametrize(
    ("second", "granted"),
    [
        (opened(2, WINDOW_MS - 1), 1),
        (opened(2, 2 * WINDOW_MS, 3 * WINDOW_MS), 1),
        (opened(2, 9 * WINDOW_MS, None), 1),
    ],
    ids=["within the window", "within its longer one", "once for ever"],
)
def test_opens_of_one_user_that_meet_are_decided_one_after_the_other(file, second, granted) -> None:
    taken, given = statements(file, [opened(1, 0), second])
    assert given == granted
    assert taken > 1


def test_an_open_of_a_time_that_no_clock_shows_is_decided_alone_and_no_other_beside_it(
    file: SqliteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    deciding = Mock(wraps=decide)
    monkeypatch.setattr(sqlite_reserve, "decide", deciding)
    odd = opened(90, -NOON_MS)

    assert statements(file, [*(opened(number, number * WINDOW_MS) for number in range(20)), odd])[1] == 21
    assert [call.args[0] for call in deciding.call_args_list] == [odd.holder]


def test_beside_one_of_a_time_that_no_clock_shows_the_others_are_confirmed_together(file: SqliteFile) -> None:
    odd = opened(90, -NOON_MS)

    def confirming(numbers: range) -> int:
        seen: list[str] = []
        with file.transaction(writes=True, durable=False) as connection:
            tables = Tables(connection, "group", LedgerPolicy(reservation_age_s=60.0), "boot")
            confirm(tables, [odd])
            connection.set_trace_callback(seen.append)
            confirm(tables, [*(opened(number, number * WINDOW_MS) for number in numbers), odd])
            connection.set_trace_callback(None)
        return len(seen)

    assert confirming(range(3)) == confirming(range(100, 130))
