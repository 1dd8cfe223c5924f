"""Topologies broken on purpose, each with exactly what `check` says of it beside it: `broken/NAME/expected.txt`.

A first line `# check …` holds the flags that the case is about. To accept other words: `UPDATE_EXPECTED=1`.
"""

import os
import shlex
import sys
from pathlib import Path

import pytest

from consumer.cli import main

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(folder.name for folder in BROKEN.iterdir() if folder.is_dir())


def said_of(
    case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """Exit code and standard error of `check`, called in the folder of the cases."""
    first, _, _ = (BROKEN / case / "topology.yaml").read_text("utf-8").partition("\n")
    flags = shlex.split(first.removeprefix("# check ")) if first.startswith("# check ") else []
    monkeypatch.chdir(BROKEN)
    monkeypatch.setattr(
        sys, "argv", ["distinct-consumer", "check", "--topology", case, "--schemas", ".", *flags]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    assert captured.out == "", "what is broken is not shown as if it were sound"
    assert isinstance(ended.value.code, int)
    return ended.value.code, captured.err


@pytest.mark.parametrize("case", CASES)
def test_a_broken_topology_ends_check_with_exactly_this_message(
    case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = said_of(case, monkeypatch, capsys)

    expected = BROKEN / case / "expected.txt"
    if os.environ.get("UPDATE_EXPECTED"):
        expected.write_text(said, "utf-8")
    assert said == expected.read_text("utf-8")
    assert code == 2


def test_there_are_many_of_them() -> None:
    assert len(CASES) >= 30


def test_no_message_repeats_a_secret() -> None:
    said = "".join((BROKEN / case / "expected.txt").read_text("utf-8") for case in CASES)

    assert "5f0e2c77a1" not in said
    assert "hunter2" not in said
