"""A few seconds of each, so that a change that breaks something shows before the long run does."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.drawn import drawn
from tests.fuzz.targets import TARGETS

_ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("target", TARGETS)
def test_sound_inputs_and_damaged_ones_break_nothing(target: str) -> None:
    drawn(target, 200)


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this Python")
@pytest.mark.parametrize("target", TARGETS)
def test_a_short_run_of_the_guided_fuzzer_finds_nothing(target: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz.guided", target, "3", str(tmp_path)]
    ended = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=100, check=False)
    found = [file.name for file in tmp_path.iterdir() if file.name != "corpus"]
    assert (ended.returncode, found) == (0, []), ended.stderr[-3_000:]
    assert "stat::number_of_executed_units" in ended.stderr, "it ran"
