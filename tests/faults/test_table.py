"""The table of faults: it is made from the tests' names and from what they measured."""

from pathlib import Path

import pytest

from tests.checker import Evidence, check
from tests.faults.outcomes import Outcome, Recorder, read_outcomes, row_of, worst
from tests.faults.rows import ROWS
from tests.faults.table import PAGE, named_by_row, render, replaced

TESTS = {2: [("test_stops.py", "test_row_02_stopped")], 7: [("test_leaders.py", "test_row_07_killed")]}


def test_every_test_names_a_row_that_there_is() -> None:
    assert named_by_row().keys() <= ROWS.keys()


def test_the_page_holds_the_table_that_the_tests_make() -> None:
    page = PAGE.read_text("utf-8")

    assert replaced(page, render(named_by_row(), [], page)) == page, "run scripts/faults-table --write"


def test_what_was_not_measured_keeps_the_cells_of_the_page() -> None:
    before = render(TESTS, [Outcome(2, "test_row_02_stopped", "", 0, 3, 1.5)])

    after = render(TESTS, [Outcome(7, "test_row_07_killed", "", 0, 0, None)], before)

    assert "test_stops.py) | 0 | 3 | 1.5 s |" in before
    assert "test_leaders.py) | – | – | – |" in before
    assert "test_stops.py) | 0 | 3 | 1.5 s |" in after
    assert "test_leaders.py) | 0 | 0 | stops |" in after


def test_of_several_cases_the_worst_is_shown() -> None:
    cases = [Outcome(12, "test_row_12_x", "a", 0, 2, 1.0), Outcome(12, "test_row_12_x", "b", 1, 0, None)]

    assert worst(cases) == Outcome(12, "test_row_12_x", "", 1, 2, 1.0)
    assert worst([]) is None


def test_a_failure_is_written_down_before_it_is_raised(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.jsonl"
    report = check(Evidence([], {}, {}, [], [], {}), {})
    recorder = Recorder("test_row_09_all_down", "60 s", file)

    with pytest.raises(AssertionError):
        recorder.judge(report, progress_s=31.0, within_s=30.0)
    recorder.judge(report, progress_s=3.04, within_s=30.0)

    assert len(file.read_text().splitlines()) == 2
    assert read_outcomes(file) == [Outcome(9, "test_row_09_all_down", "60 s", 0, 0, 3.0)]


def test_a_test_without_a_row_in_its_name_is_refused() -> None:
    assert row_of("test_row_12_refused") == 12
    with pytest.raises(ValueError, match="test_row_NN"):
        row_of("test_something")
