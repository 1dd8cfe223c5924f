"""Builds the programs of the bench that are not Python, each once for its sources."""

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.workload import ROOT
from consumer.errors import FaultError

CACHE = ROOT / ".cache" / "bench"
_TIMEOUT_S = 1200.0
_TAIL_CHARACTERS = 600


def built(name: str, sources: Path, command: Sequence[str], *, result: str = "") -> Path:
    """The command's result for these sources, of the cache if it was made before; runs in a copy's place.

    `{out}` in the command stands for the folder to build into; `result` is the file in it that is wanted.
    Raises FaultError with the end of what the command said.
    """
    out = CACHE / f"{name}-{_digest(sources, command)}"
    made = out / result
    if made.exists() and (out / ".done").exists():
        return made
    out.mkdir(parents=True, exist_ok=True)
    words = [word.replace("{out}", str(out)) for word in command]
    run_tool(words, sources, {"GOFLAGS": "-buildvcs=false"})
    if not made.exists():
        raise FaultError(f"{words[0]} made no {made.name} of {sources}")
    (out / ".done").touch()
    return made


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


def _digest(sources: Path, command: Sequence[str]) -> str:
    digest = hashlib.sha256(repr(list(command)).encode())
    for file in sorted(one for one in sources.rglob("*") if one.is_file() and one.suffix != ".pyc"):
        digest.update(str(file.relative_to(sources)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
