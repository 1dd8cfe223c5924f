"""The calls that records cost, by the stage in whose files the called function stands."""

import gc
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FrameType
from typing import Any

import msgspec

from bench.workload import ROOT, WORKLOADS
from tests.guard.line import Line
from tests.unit.pipeline.virtual_time import run

RECORDS = 2_000
_BEFORE = 500
"""Records that warm up everything that is made once."""

STAGES = {
    "decode": ("consumer/avro/",),
    "route, map, encode": ("consumer/topology/", "consumer/endpoints/"),
    "intake": (
        "consumer/pipeline/coordinator",
        "consumer/pipeline/intake",
        "consumer/pipeline/reading",
        "consumer/pipeline/caution",
        "consumer/pipeline/traces",
        "consumer/core/horizon",
        "consumer/core/ages",
    ),
    "lanes": (
        "consumer/core/lanes",
        "consumer/core/gate",
        "consumer/core/limit",
        "consumer/core/ceiling",
        "consumer/core/stretch",
        "consumer/core/suspicion",
        "consumer/core/trials",
        "consumer/pipeline/sink",
        "consumer/pipeline/stock",
        "consumer/pipeline/shelf",
        "consumer/pipeline/filling",
        "consumer/pipeline/batch",
        "consumer/pipeline/work",
    ),
    "reserve, confirm": (
        "consumer/ledger/",
        "consumer/pipeline/reserve",
        "consumer/pipeline/confirmations",
        "consumer/pipeline/timed_ledger",
        "consumer/pipeline/patience",
        "consumer/core/windows",
        "consumer/core/claims",
        "contextlib",
    ),
    "send": (
        "consumer/pipeline/send",
        "consumer/pipeline/shipping",
        "consumer/pipeline/verdicts",
        "consumer/core/refusals",
        "consumer/http/",
        "consumer/telemetry/",
        "opentelemetry/",
    ),
    "settle": ("consumer/pipeline/settle", "consumer/core/offsets", "consumer/core/pressure"),
    "event loop": ("asyncio/", "selectors", "_weakrefset", "consumer/pipeline/background"),
}
"""By the beginning of a file's path; the first that fits counts."""
REST = "elsewhere"
_OURS = "tests/"
_CALLERS = ("<", str(ROOT / "consumer" / "types.py"))


class Cost(msgspec.Struct, frozen=True):
    """Of one workload, by record."""

    calls: dict[str, float]
    """Calls of a stage's own functions, and of those in C that it calls."""
    blocks: float
    """Blocks of memory that a record holds from when it is taken until it is sent."""
    dearest: dict[str, list[tuple[str, float]]]
    """Of each stage, its functions and what they call in C, those with the most calls first."""


def measure(name: str) -> Cost:
    """The cost of one workload of the bench. Takes a few seconds; the same numbers each time."""
    found: list[Cost] = []

    async def scenario() -> None:
        with TemporaryDirectory() as folder:
            line = Line(WORKLOADS[name], Path(folder))
            await line.start()
            line.take(line.polls(_BEFORE))
            await line.settle()
            polls = line.polls(RECORDS)
            before = _blocks()
            line.take(polls)
            held = _blocks() - before
            await line.settle()
            polls = line.polls(RECORDS)
            with _counted() as (functions, builtins):
                line.take(polls)
                await line.settle()
            await line.close()
            found.append(_cost(functions, builtins, held))

    run(scenario())
    return found[0]


def _blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


Calls = Counter[Any]


def _in_file(frame: FrameType) -> CodeType:
    """Its code; for what was compiled from text or is a value's of all stages, the code that called it."""
    at: FrameType | None = frame
    while at is not None and at.f_code.co_filename.startswith(_CALLERS):
        at = at.f_back
    return frame.f_code if at is None else at.f_code


@contextmanager
def _counted() -> Iterator[tuple[Calls, Calls]]:
    """Calls of Python functions by their code, and those in C by the code that called, and their name."""
    functions: Calls = Counter()
    builtins: Calls = Counter()

    def note(frame: FrameType, event: str, about: Any) -> None:
        if event == "call":
            functions[_in_file(frame), frame.f_code] += 1
        elif event == "c_call":
            builtins[_in_file(frame), frame.f_code, about.__name__] += 1

    collects = gc.isenabled()
    gc.disable()
    sys.setprofile(note)
    try:
        yield functions, builtins
    finally:
        sys.setprofile(None)
        if collects:
            gc.enable()


def _cost(functions: Calls, builtins: Calls, held: int) -> Cost:
    calls: Counter[str] = Counter()
    named: dict[str, Counter[str]] = {}
    every = [(at, code.co_qualname, number) for (at, code), number in functions.items()]
    every += [(at, f"{code.co_qualname} → {name}", number) for (at, code, name), number in builtins.items()]
    for at, what, number in every:
        place = _place(at.co_filename)
        if place.startswith(_OURS):
            continue  # what plays the edges
        stage = next((one for one, files in STAGES.items() if place.startswith(files)), REST)
        calls[stage] += number
        named.setdefault(stage, Counter())[f"{place} {what}"] += number
    dearest = {
        stage: [
            (what, number / RECORDS)
            for what, number in sorted(some.items(), key=lambda one: (-one[1], one[0]))
        ]
        for stage, some in named.items()
    }
    return Cost({one: calls[one] / RECORDS for one in (*STAGES, REST)}, held / RECORDS, dearest)


def _place(path: str) -> str:
    """A file's path from its package on, the same on every machine."""
    for root in (str(ROOT), os.path.dirname(os.__file__)):
        if path.startswith(root + os.sep):
            path = path[len(root) + 1 :]
            break
    return path.rpartition("site-packages/")[2]
