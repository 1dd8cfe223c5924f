"""Programs that the bench builds: once for their sources, and a failure says what the tool said."""

import sys
from pathlib import Path

import pytest

from bench.receiver import build
from consumer.errors import FaultError

COUNT = "import sys; open(sys.argv[1] + '/made', 'a').write('x'); open('runs', 'a').write('x')"


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "CACHE", tmp_path / "cache")
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "main.go").write_text("one")
    return folder


def _build(sources: Path) -> Path:
    return build.built(
        "tool", sources, [sys.executable, "-c", COUNT, "{out}"], result="made", inputs=["*.go"]
    )


def test_the_same_sources_are_built_once(sources: Path) -> None:
    assert _build(sources) == _build(sources)
    assert (sources / "runs").read_text() == "x"


def test_other_sources_are_built_again_and_the_former_ones_removed(sources: Path) -> None:
    former = _build(sources)
    (sources / "main.go").write_text("two")
    assert _build(sources) != former
    assert not former.exists()


def test_a_build_that_fails_says_why_and_is_tried_again(sources: Path) -> None:
    words = [sys.executable, "-c", "import sys; sys.exit('no compiler for this')"]
    for _ in range(2):
        with pytest.raises(FaultError, match="no compiler for this"):
            build.built("tool", sources, words, result="made")


def test_a_tool_that_is_missing_is_named(sources: Path) -> None:
    with pytest.raises(FaultError, match="no-such-tool is not on the path"):
        build.built("tool", sources, ["no-such-tool"], result="made")
