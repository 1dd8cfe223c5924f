"""Builds the programs of the bench that are not Python, each once for its sources."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.workload import ROOT
from consumer.errors import FaultError

CACHE = ROOT / ".cache" / "bench"
_TIMEOUT_S = 1200.0
_TAIL_CHARACTERS = 600
_DIGITS = 12
_DONE = ".done"


def built(
    name: str, sources: Path, *commands: Sequence[str], result: str, inputs: Sequence[str] = ("**/*",)
) -> Path:
    """The commands' result for these sources, of the cache if it was made before. They run where the sources are.

    `{out}` in a command stands for the folder to build into; `result` is the file in it that is wanted; `inputs`
    are the patterns of the sources that it is made of. What was built of former sources is removed.
    Raises FaultError with the end of what a command said.
    """
    out = CACHE / f"{name}-{_digest(sources, inputs, commands)}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests in several processes ask for the same program at once
        if not (out / _DONE).exists():
            for former in CACHE.glob(f"{name}-{'[0-9a-f]' * _DIGITS}"):
                shutil.rmtree(former)
            out.mkdir()
            for command in commands:
                words = [word.replace("{out}", str(out)) for word in command]
                run_tool(words, sources, {"GOFLAGS": "-buildvcs=false"})
            if not (out / result).exists():
                raise FaultError(f"{commands[-1][0]} made no {result} of {sources}")
            (out / _DONE).touch()
    return out / result


def run_tool(words: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a build tool to its end. Raises FaultError if it is missing, fails or takes too long."""
    try:
        ended = subprocess.run(
            words,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise FaultError(f"{words[0]} is not on the path") from error
    except subprocess.TimeoutExpired as error:
        raise FaultError(f"{words[0]} did not end within {_TIMEOUT_S:.0f} s in {folder}") from error
    if ended.returncode:
        said = (ended.stderr or ended.stdout).decode(errors="replace").strip()[-_TAIL_CHARACTERS:]
        raise FaultError(f"{words[0]} ended with {ended.returncode} in {folder}: {said}")


def _digest(sources: Path, inputs: Sequence[str], commands: Sequence[Sequence[str]]) -> str:
    digest = hashlib.sha256(repr([list(one) for one in commands]).encode())
    files = {file for pattern in inputs for file in sources.glob(pattern) if file.is_file()}
    for file in sorted(files):
        digest.update(str(file.relative_to(sources)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:_DIGITS]
