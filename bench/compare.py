"""`python -m bench.compare A B`: two commits of the consumer in turns, on the same topic and receiver."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import click
import orjson

from bench.entry import console, run_command, tell
from bench.report import Result, as_json, print_tables
from bench.rounds import Plan, run_rounds
from bench.setting import open_setting
from bench.sides import Ours
from bench.topic import Topics
from bench.workload import ARRAYS, FAR_SINGLES, ROOT, SINGLES, WORKLOADS


@click.command(
    epilog="""\b
Examples:
  python -m bench.compare main HEAD
  python -m bench.compare HEAD~3 . --rounds 7 --singles 0 --far-singles 0
"""
)
@click.argument("first")
@click.argument("second")
@click.option("--arrays", default=200_000, show_default=True, type=click.IntRange(min=0))
@click.option("--singles", default=60_000, show_default=True, type=click.IntRange(min=0))
@click.option("--far-singles", default=0, show_default=True, type=click.IntRange(min=0))
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(min=1))
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def compare(
    first: str, second: str, arrays: int, singles: int, far_singles: int, rounds: int, output: str
) -> None:
    """Two commits of the consumer, measured by this checkout's bench; `.` is the checkout as it stands.

    Each is checked out into a folder of its own, which is removed at the end. A ratio is that of each round's
    neighbours, so that a machine that slows down slows both.
    """
    asked = {ARRAYS.name: arrays, SINGLES.name: singles, FAR_SINGLES.name: far_singles}
    results = []
    if _commit(first) == _commit(second):
        raise click.UsageError(f"{first} and {second} are the same: give two commits that differ")
    with ExitStack() as stack:
        roots = {name: stack.enter_context(_checked_out(name)) for name in (first, second)}
        # The second one leads: its ratio to the first is what a change brought.
        sides = [Ours(("-m", "consumer"), name=name, root=root) for name, root in reversed(roots.items())]
        setting = stack.enter_context(open_setting(tell))
        topics = Topics(setting, tell)
        for name, count in asked.items():
            if count:
                topic = partial(topics.filled, WORKLOADS[name])
                required = frozenset(side.name for side in sides)
                plan = Plan(WORKLOADS[name], count, sides, rounds, topic, required)
                results.append(Result(run_rounds(plan, setting, tell)))
        receiver = setting.receiver.description
    if output == "json":
        told = as_json(results, receiver, {"commits": {name: _commit(name) for name in roots}})
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        print_tables(results, receiver, console())


@contextmanager
def _checked_out(name: str) -> Iterator[Path]:
    """A folder with the files of this commit. Raises UsageError where git does not know it."""
    if name == ".":
        yield ROOT
        return
    commit = _commit(name)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _git("worktree", "add", "--quiet", "--detach", folder, commit)
        try:
            yield Path(folder)
        finally:
            _git("worktree", "remove", "--force", folder)


def _commit(name: str) -> str:
    """Its digest. Raises UsageError where git does not know it."""
    if name == ".":
        return "the checkout"
    try:
        return _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except click.UsageError as error:
        raise click.UsageError(
            f"git knows no commit {name!r}: give a branch, a tag, a digest, HEAD~2, or . for the checkout"
        ) from error


def _git(*words: str) -> str:
    ended = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise click.UsageError(f"git {words[0]}: {ended.stderr.strip()}")
    return ended.stdout.strip()


if __name__ == "__main__":
    run_command(compare)
