"""The table of faults in docs/guarantees.md, from the tests' names and what they measured last.

`python -m tests.faults.table` prints it; with `--write` it goes into the page. What was not measured since stays as it
stands in the page.
"""

import ast
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.outcomes import Outcome, outcomes_file, read_outcomes, worst
from tests.faults.rows import ROWS

_HERE = Path(__file__).parent
PAGE = _HERE.parents[1] / "docs" / "guarantees.md"
BEGIN = "<!-- faults: written by scripts/faults-table -->"
END = "<!-- faults: end -->"
_HEAD = "| # | fault | promise | test | lost | duplicates | progress after |\n|---|---|---|---|---|---|---|"
_LINE = re.compile(r"\| \d+ \|.*\[`(test_row_\d\d_\w+)`\]\([^)]*\) \| (.*) \|")


def named_by_row() -> dict[int, list[tuple[str, str]]]:
    """The tests that name a row, as (file, function)."""
    found: dict[int, list[tuple[str, str]]] = {}
    for file in sorted(_HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                match = re.match(r"test_row_(\d\d)_", node.name)
                if match is not None:
                    found.setdefault(int(match[1]), []).append((file.name, node.name))
    return found


def render(
    tests: Mapping[int, Sequence[tuple[str, str]]], outcomes: Sequence[Outcome], page: str = ""
) -> str:
    """The table as Markdown; `page`: where the cells of what was not measured are taken from."""
    standing = {match[1]: match[2] for match in map(_LINE.match, page.splitlines()) if match is not None}
    lines = [_HEAD]
    for number, row in ROWS.items():
        for file, test in tests.get(number, ()):
            measured = worst(one for one in outcomes if one.test == test)
            cells = standing.get(test, "– | – | –") if measured is None else _cells(measured)
            link = f"[`{test}`](../tests/faults/{file})"
            lines.append(f"| {number} | {row.fault} | {row.promise} | {link} | {cells} |")
    return "\n".join(lines)


def _cells(one: Outcome) -> str:
    progress = "stops" if one.progress_s is None else f"{one.progress_s:g} s"
    return f"{one.lost} | {one.duplicates} | {progress}"


def replaced(page: str, table: str) -> str:
    """The page with this table between its marks. Raises ValueError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def main(arguments: Sequence[str]) -> None:
    """Print, or write."""
    page = PAGE.read_text("utf-8")
    table = render(named_by_row(), read_outcomes(outcomes_file()), page)
    if "--write" in arguments:
        PAGE.write_text(replaced(page, table), "utf-8")
    else:
        print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
