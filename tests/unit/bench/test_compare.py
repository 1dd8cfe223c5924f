"""Two commits are compared: which ones is settled before anything is started."""

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bench import compare as module
from bench.compare import compare

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two commits, of which the bench takes it for its own; no broker may be started."""
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "open_setting", lambda _: pytest.fail("a broker was started"))
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    for text in ("before", "after"):
        (tmp_path / "file").write_text(text)
        git(tmp_path, "add", "file")
        git(tmp_path, "commit", "--quiet", "-m", text)
    return tmp_path


def compared(first: str, second: str) -> Result:
    return CliRunner().invoke(compare, [first, second])


@pytest.mark.parametrize(("first", "second"), [("HEAD", "HEAD"), ("main", "HEAD"), (".", ".")])
def test_a_commit_beside_itself_is_refused_by_whichever_names(
    checkout: Path, first: str, second: str
) -> None:
    result = compared(first, second)
    assert result.exit_code == 2
    assert f"{first} and {second} are the same" in result.stderr
    assert not isinstance(result.exception, AssertionError)


@pytest.mark.parametrize(("first", "second"), [("nonsense", "HEAD"), ("HEAD", "nonsense")])
def test_a_commit_that_git_does_not_know_is_one_message_that_names_it(
    checkout: Path, first: str, second: str
) -> None:
    result = compared(first, second)
    assert result.exit_code == 2
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error:")]
    assert len(errors) == 1
    assert "'nonsense'" in errors[0]
    assert "fatal" not in result.stderr


def test_each_commit_is_checked_out_as_it_was_and_removed_at_the_end(checkout: Path) -> None:
    with module._checked_out("HEAD~1") as before, module._checked_out("HEAD") as after:
        assert (before / "file").read_text() == "before"
        assert (after / "file").read_text() == "after"
    assert not before.exists()
    assert not after.exists()
    assert len(git(checkout, "worktree", "list").splitlines()) == 1


def test_a_dot_is_the_checkout_as_it_stands(checkout: Path) -> None:
    (checkout / "file").write_text("not committed")
    with module._checked_out(".") as folder:
        assert (folder / "file").read_text() == "not committed"
    assert (checkout / "file").exists()
