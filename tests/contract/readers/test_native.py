"""What only native code can do wrong: crash, take memory that the data merely asks for, swallow what is not its own."""

import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.avro import wire
from consumer.avro.native import Native
from consumer.avro.reader import Reader
from tests.contract.readers.conftest import NATIVE, NotRead, hardened, native_reader
from tests.contract.readers.test_reading import nested
from tests.unit.avro.avro_values import record_of, varint


def reader_of(schema: dict[str, Any], meanings: dict[str, Any] | None = None) -> Reader:
    """The native one, of a schema that nothing has hardened."""
    assert isinstance(NATIVE, Native)

    def refuse(value: bytes, start: int) -> tuple[dict[str, Any], int]:
        raise NotRead

    return NATIVE.make(schema, meanings or {}, refuse).read


def test_a_schema_that_contains_itself_is_refused() -> None:
    schema = record_of("int")
    schema["fields"].append({"name": "again", "type": {"type": "union", 0: "null", 1: schema}})
    with pytest.raises(ValueError, match="nested too deep"):
        reader_of(schema)


@pytest.mark.parametrize(
    "schema",
    [
        "int",
        {"type": "array", "items": "int"},
        {"type": "record", "name": "R"},
        {"type": "record", "fields": []},
        {"type": "record", "name": "R", "fields": [{"name": 5, "type": "int"}]},
        record_of("unheard-of"),
        record_of(["null", "int"]),
        record_of({"type": "fixed", "name": "F", "size": -1}),
        record_of({"type": "long", "logicalType": 5}),
    ],
)
def test_a_schema_that_is_not_a_hardened_record_is_refused(schema: Any) -> None:
    with pytest.raises((ValueError, TypeError, OverflowError)):
        reader_of(schema)


def test_a_name_that_a_plain_type_says_means_nothing() -> None:
    fields = [{"type": kind, "logicalType": "unheard-of", "name": "R"} for kind in ("string", "int")]
    assert reader_of(record_of(*fields))(varint(1) + b"a" + varint(5), 0) == ({"f0": "a", "f1": 5}, 3)


def test_five_bytes_that_declare_a_huge_array_of_nothing_take_no_memory() -> None:
    read = reader_of(record_of({"type": "array", "items": "null"}))
    tracemalloc.start()
    try:
        with pytest.raises(NotRead):
            read(varint(200_000_000)[:4] + b"\0", 0)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("start", [1, 2, 2**31, 2**63 - 1])
def test_a_start_beyond_the_end_is_left_to_the_other_reader(start: int) -> None:
    with pytest.raises(NotRead):
        reader_of(record_of("int"))(b"\0", start)


def test_the_deepest_schema_is_read_on_a_small_stack() -> None:
    schema, value, payload = nested("int", 98)
    read = native_reader(hardened(record_of(schema)))
    seen: list[Any] = []
    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=lambda: seen.append(read(payload, 0)))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert seen == [({"f0": value}, len(payload))]


def test_who_interrupts_the_process_is_not_taken_for_damaged_data() -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    read = reader_of(record_of({"type": "int", "logicalType": "date"}), {"int-date": interrupted})
    with pytest.raises(KeyboardInterrupt):
        read(varint(1), 0)


@pytest.mark.parametrize("error", [ValueError, OverflowError, RecursionError, MemoryError])
def test_what_a_logical_type_raises_is_left_to_the_other_reader(error: type[Exception]) -> None:
    def refused(*_: Any) -> Any:
        raise error

    read = reader_of(record_of({"type": "int", "logicalType": "date"}), {"int-date": refused})
    with pytest.raises(NotRead):
        read(varint(1), 0)


@pytest.mark.parametrize(
    ("logical", "by_wire", "unit"),
    [
        ("timestamp-millis", wire.instant_from_millis, 1_000),
        ("timestamp-micros", wire.instant_from_micros, 1),
    ],
)
def test_any_timestamp_is_the_one_that_python_makes_of_it_or_is_left(
    logical: str, by_wire: Callable[[int], datetime], unit: int
) -> None:
    read = reader_of(record_of({"type": "long", "logicalType": logical}))
    first, last = -62_135_596_800_000_000 // unit, 253_402_300_799_999_999 // unit

    @example(first)
    @example(last)
    @example(first - 1)
    @example(last + 1)
    @given(st.integers(first, last) | st.integers(-(2**63), 2**63 - 1) | st.integers(-(10**9), 10**9))
    def same(number: int) -> None:
        try:
            expected = by_wire(number)
        except OverflowError:
            with pytest.raises(NotRead):
                read(varint(number), 0)
            return
        seen: Any = read(varint(number), 0)[0]["f0"]
        assert (seen, repr(seen), seen.tzinfo, seen.fold) == (expected, repr(expected), expected.tzinfo, 0)

    same()


_OUT_OF_MEMORY = """
import resource, sys
from distinct_consumer_native import Reader

schema = {"type": "record", "name": "R", "fields": [{"name": "f", "type": "bytes"}]}
read = Reader(schema, {}, lambda value, start: ("left", start)).read
value = b"\\x80\\x80\\x80\\x80\\x02" + bytes(256 << 20)
with open("/proc/self/statm") as file:
    limit = int(file.read().split()[0]) * resource.getpagesize() + (int(sys.argv[1]) << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(read(value, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded by Linux's means")
@pytest.mark.parametrize("left_mb", [1, 8, 16, 64])
def test_a_value_that_there_is_no_memory_for_is_left_to_the_other_reader(left_mb: int) -> None:
    command = [sys.executable, "-c", _OUT_OF_MEMORY, str(left_mb)]
    # What a panic prints takes memory too: with some left, but not enough, that hung for ever.
    environment = {**os.environ, "RUST_BACKTRACE": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert (ended.returncode, ended.stdout.strip()) == (0, "('left', 0)"), ended.stderr
