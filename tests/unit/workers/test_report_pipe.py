"""The pipe from a worker to its parent."""

import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from consumer.workers.report_pipe import ReportPipe
from consumer.workers.reports import Beat, Ended, Report, Started, decode

BEAT = Beat({"text": "x" * 30_000}, joined=True)


@pytest.fixture
def ends() -> Iterator[tuple[int, ReportPipe]]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, ReportPipe(writing)
    os.close(writing)
    os.close(reading)


def drained(end: int) -> bytes:
    """All that is there."""
    text = b""
    with suppress(BlockingIOError):
        while chunk := os.read(end, 65_536):
            text += chunk
    return text


def reports_of(text: bytes) -> list[Report]:
    return [decode(line) for line in text.splitlines()]


def test_reports_come_out_in_order(ends: tuple[int, ReportPipe]) -> None:
    end, pipe = ends
    reports = [Started("127.0.0.1", 1), BEAT, Ended(3, ["left"])]
    pipe.tell(Started("127.0.0.1", 1))
    pipe.tell(BEAT)
    pipe.end(Ended(3, ["left"]))

    assert reports_of(drained(end)) == reports


def test_a_parent_that_does_not_read_holds_up_nothing_and_finds_whole_lines_later(
    ends: tuple[int, ReportPipe],
) -> None:
    end, pipe = ends
    for _ in range(100):
        pipe.tell(BEAT)  # far more than a pipe takes: this would wait for ever

    text = drained(end)
    pipe.tell(BEAT)
    text += drained(end)
    pipe.end(Ended(0))
    text += drained(end)

    reports = reports_of(text)
    assert reports[:-1] == [BEAT] * (len(reports) - 1)
    assert reports[-1] == Ended(0)
    assert 2 < len(reports) < 100


def test_a_parent_that_is_gone_is_no_fault() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    pipe = ReportPipe(writing)

    pipe.tell(BEAT)
    pipe.end(Ended(0))

    os.close(writing)
