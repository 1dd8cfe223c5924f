"""A record that kills the process, for real: a segmentation fault while it is decoded, on a real broker."""

import signal
from pathlib import Path

import pytest

from tests.integration.conftest import MakeStage
from tests.integration.processes import ConsumerProcess

_ROOT = Path(__file__).resolve().parents[2]
OURS = "distinct-consumer."

# Loaded by Python before the command: the product's readers and shortcuts crash on an event that names the magic word.
_CRASHING = """
import ctypes, os, signal, time
from consumer.avro import compiled, decoder, native

whole, short = compiled.compile_reader, native.Native.shortcut

def deadly(function):
    def called(value, *rest):
        if b"SEGFAULT" in value:
            ctypes.string_at(0)
        if b"ABORT" in value:
            os.abort()
        return function(value, *rest)
    return called

decoder.compile_reader = lambda schema, **options: deadly(whole(schema, **options))
native.Native.shortcut = lambda *given: deadly(short(*given))
"""


@pytest.fixture
def crashing(tmp_path: Path) -> str:
    """A PYTHONPATH under which readers crash."""
    folder = tmp_path / "crashing"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_CRASHING)
    return f"{folder}:{_ROOT}"


def died_of(consumer: ConsumerProcess) -> int:
    """The signal that ended it."""
    return -consumer.wait(60.0)


def test_a_record_that_crashes_the_process_costs_one_process_and_is_dead_lettered(
    make_stage: MakeStage, crashing: str
) -> None:
    stage = make_stage(2)
    stage.create_letters()
    good = [f"good-{number}" for number in range(40)]
    stage.produce_customs(*good[:10])
    killers = [stage.events.custom("k-1", name="SEGFAULT"), stage.events.custom("k-2", name="ABORT")]
    stage.produce(killers[0])
    stage.produce_customs(*good[10:20])
    stage.produce(killers[1])
    stage.produce_customs(*good[20:30])
    stage.produce_customs(*good[30:], partition=1)

    first = stage.consumer(PYTHONPATH=crashing)
    assert died_of(first) == signal.SIGSEGV, first.tail()
    # Another process, which finds the ledger and nothing else: it takes the partition over, and lives.
    second = stage.to_the_end(PYTHONPATH=crashing)

    assert second.wait() == 0, second.tail()
    assert sorted(filter(None, stage.accepted_ids())) == sorted(good)
    letters = sorted(stage.read_letters(), key=lambda one: int(one.header(f"{OURS}origin-offset") or b""))
    assert [letter.value for letter in letters] == killers
    assert [letter.key for letter in letters] == [b"user-1", b"user-1"]
    assert {letter.header(f"{OURS}reason") for letter in letters} == {b"crashed the process"}
    assert [letter.header(f"{OURS}origin-offset") for letter in letters] == [b"10", b"21"]
    assert second.books["balanced"]
    assert second.books["undecodable"] == 2
    assert stage.committed == {0: 32, 1: 10}

    # It left in good order: whoever comes next takes no care any more.
    stage.produce_customs("later")
    third = stage.to_the_end(PYTHONPATH=crashing)
    assert third.wait() == 0, third.tail()
    assert "good order" in second.stderr
    assert "good order" not in third.stderr
    assert "later" in stage.accepted_ids()
