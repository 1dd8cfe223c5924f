"""What the fault tests measured: a file with one JSON line a test, written by them and read by the table."""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.checker import Report
from tests.checker.settled import LOST

_ROOT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"test_row_(\d\d)_\w+")
PATH_VARIABLE = "TEST_FAULT_OUTCOMES"
"""The environment variable that says where the file is; else it is in `.cache`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one test, or of one of its parameters."""

    row: int
    test: str
    """The function's name."""
    case: str
    """The parameters' id; "" without."""
    lost: int
    duplicates: int
    progress_s: float | None
    """From the fault, or from its end where nothing can happen before, to the next acceptance; None where the
    promise is to stop."""


def row_of(test: str) -> int:
    """The row that a test's name says. Raises ValueError for one that names none."""
    if (match := _NAME.fullmatch(test)) is None:
        raise ValueError(f"{test}: name it test_row_NN_what_happens, after its row")
    return int(match[1])


def outcomes_file() -> Path:
    """Where outcomes are kept."""
    given = os.environ.get(PATH_VARIABLE)
    return Path(given) if given else _ROOT / ".cache" / "faults" / "outcomes.jsonl"


def read_outcomes(file: Path) -> list[Outcome]:
    """The last one of each test and case; none where there is no file."""
    if not file.exists():
        return []
    every = [Outcome(**json.loads(line)) for line in file.read_text().splitlines()]
    return list({(one.test, one.case): one for one in every}.values())


def worst(outcomes: Iterable[Outcome]) -> Outcome | None:
    """The cases of one test as one: the most lost and doubled, the slowest; None of none."""
    every = list(outcomes)
    if not every:
        return None
    times = [one.progress_s for one in every if one.progress_s is not None]
    return Outcome(
        every[0].row,
        every[0].test,
        "",
        max(one.lost for one in every),
        max(one.duplicates for one in every),
        max(times, default=None),
    )


class Recorder:
    """Judges one test's end, and writes it down first, so that a failure is in the table too."""

    def __init__(self, test: str, case: str, file: Path) -> None:
        self._row = row_of(test)
        self._test = test
        self._case = case
        self._file = file
        self.recorded = False

    def judge(self, report: Report, *, progress_s: float | None, within_s: float, allowed: int = 0) -> None:
        """Hold the checker's report, the duplicates and the time against what the row allows.

        The report's findings hold losses, commits that were too early or went back, disorder, and duplicates that
        no moment in `Stage.kills_ms` explains: none is allowed. `allowed` bounds the duplicates that one does.
        """
        duplicates = sum(report.duplicates.values())
        self.note(lost=report.findings[LOST], duplicates=duplicates, progress_s=progress_s)
        assert not report.findings, str(report)
        assert duplicates <= allowed, str(report)
        assert progress_s is None or progress_s <= within_s

    def note(self, *, lost: int, duplicates: int, progress_s: float | None) -> None:
        """Write down; for a test that counts by itself and asserts by itself."""
        self.recorded = True
        rounded_s = None if progress_s is None else round(progress_s, 1)
        one = Outcome(self._row, self._test, self._case, lost, duplicates, rounded_s)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open(
            "a"
        ) as file:  # one short write: tests of several processes do not mix their lines
            file.write(json.dumps(asdict(one)) + "\n")
