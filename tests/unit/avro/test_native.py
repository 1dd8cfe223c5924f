"""Which reader is used: the native one where it is there, fits and may be; else Python's."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from consumer.avro.compiled import compile_reader
from consumer.avro.native import Absent, Native, find_native
from tests.contract.readers.conftest import hardened
from tests.unit.avro.avro_values import record_of, varint

MODULE = "distinct_consumer_native"
SCHEMA = hardened(record_of("int"))


class Other:
    """A native reader that reads nothing but sevens."""

    def __init__(self, schema: Any, meanings: Any, otherwise: Any) -> None:
        self._otherwise = otherwise

    def read(self, value: bytes, start: int) -> tuple[dict[str, Any], int]:
        return ({"by": "native"}, 1) if value == varint(7) else self._otherwise(value, start)


class Picky:
    """One that reads no schema."""

    def __init__(self, *_: Any) -> None:
        raise TypeError("not that one")


def install(monkeypatch: pytest.MonkeyPatch, **attributes: Any) -> None:
    monkeypatch.setitem(sys.modules, MODULE, SimpleNamespace(**attributes))  # type: ignore[arg-type]


def test_without_the_module_python_reads_and_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)  # type: ignore[arg-type]
    assert find_native() == Absent()
    assert compile_reader(SCHEMA)(varint(7), 0) == ({"f0": 7}, 1)


def test_with_it_it_reads_first_and_python_what_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, INTERFACE=3, __version__="9.8.7", Reader=Other, Mapper=None)
    found = find_native()
    assert isinstance(found, Native)
    assert found.version == "9.8.7"
    read = compile_reader(SCHEMA)
    assert read(varint(7), 0) == ({"by": "native"}, 1)
    assert read(varint(8), 0) == ({"f0": 8}, 1)


def test_it_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, INTERFACE=3, __version__="9.8.7", Reader=Other, Mapper=None)
    assert compile_reader(SCHEMA, native=False)(varint(7), 0) == ({"f0": 7}, 1)


def test_a_schema_that_it_does_not_read_is_python_s(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, INTERFACE=3, __version__="9.8.7", Reader=Picky, Mapper=None)
    assert compile_reader(SCHEMA)(varint(7), 0) == ({"f0": 7}, 1)


@pytest.mark.parametrize("attributes", [{"INTERFACE": 1, "__version__": "9.8.7"}, {}])
def test_one_of_another_release_is_not_used_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, attributes: dict[str, Any]
) -> None:
    install(monkeypatch, Reader=Other, **attributes)
    found = find_native()
    assert isinstance(found, Absent)
    assert "is for another release" in found.problem
    assert "make native" in found.problem
    assert compile_reader(SCHEMA)(varint(7), 0) == ({"f0": 7}, 1)


def test_one_that_cannot_be_loaded_is_not_used_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Any:
        raise ImportError("wrong ELF class")

    monkeypatch.setattr("consumer.avro.native.import_module", broken)
    found = find_native()
    assert isinstance(found, Absent)
    assert "cannot be loaded (wrong ELF class)" in found.problem
    assert compile_reader(SCHEMA)(varint(7), 0) == ({"f0": 7}, 1)
