"""What a value takes once it is read: bounded, whatever a schema makes of a byte, and honest values are not refused."""

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.avro.compiled import compile_reader
from consumer.avro.decoder import Decoder
from consumer.avro.policy import AvroPolicy
from consumer.avro.undecodable import TOO_HEAVY, Undecodable
from consumer.avro.weight import Weight
from consumer.clock import ManualClock
from tests.contract.readers.conftest import hardened
from tests.contract.readers.shapes import encoded, schemas
from tests.unit.avro.avro_values import Shelf, framed, record, record_of, varint

_ROOT = Path(__file__).resolve().parents[3]
MIB = 1024 * 1024


def nest(levels: int, leaf: Any) -> Any:
    """Records in each other, of one field each: none of them takes a byte."""
    for level in range(levels):
        leaf = {"type": "record", "name": f"R{level}", "fields": [{"name": "f", "type": leaf}]}
    return leaf


NULLS = {
    "type": "record",
    "name": "Nulls",
    "fields": [{"name": f"n{n}", "type": "null"} for n in range(90)] + [{"name": "x", "type": "int"}],
}
HOSTILE = {
    "records in each other": nest(60, "int"),
    "many nulls and one byte": NULLS,
    "a union of them": ["null", nest(55, "int")],
    "maps of them": {"type": "map", "values": nest(55, "int")},
    "empty lists in each other": {"type": "array", "items": {"type": "array", "items": "int"}},
}


def swarm(schema: Any, size: int) -> bytes:
    """An array of as many items as fit into this many bytes, each the smallest that does harm."""
    if isinstance(schema, list):
        item = b"\2\0"
    elif schema.get("type") == "map":
        item = b"\2\0\0\0"
    else:
        item = b"\0"
    count = size // len(item)
    return framed(varint(count) + item * count + b"\0")


async def decoded(schema: Any, *values: bytes, **policy: Any) -> list[Any]:
    decoder = Decoder(Shelf(schema), ManualClock(), AvroPolicy(**policy))
    records = [record(value) for value in values]
    await decoder.load(decoder.missing(records))
    return decoder.decode(records)


@pytest.mark.parametrize("items", HOSTILE.values(), ids=HOSTILE)
async def test_a_small_value_of_a_hostile_schema_is_read_and_a_large_one_is_refused_unread(
    items: Any,
) -> None:
    schema = record_of({"type": "array", "items": items})
    small, large = swarm(items, 40), swarm(items, 900_000)
    tracemalloc.start()
    (read, refused) = await decoded(schema, small, large, max_datum_bytes=4 * MIB)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not isinstance(read, Undecodable)
    assert refused == Undecodable(TOO_HEAVY)
    assert peak_bytes < 8 * MIB


async def test_a_large_value_that_breaks_off_is_not_read_up_to_there() -> None:
    items = HOSTILE["records in each other"]
    whole = swarm(items, 900_000)
    (refused,) = await decoded(
        record_of({"type": "array", "items": items}), whole[:-2], max_datum_bytes=4 * MIB
    )
    assert refused == Undecodable(TOO_HEAVY)


@pytest.mark.parametrize("cut", [0, 1])
async def test_honest_large_values_are_read_though_their_schema_could_be_heavy(cut: int) -> None:
    schema = record_of("string", {"type": "array", "items": HOSTILE["records in each other"]})
    text = b"x" * 1_000_000
    value = framed(varint(len(text)) + text + varint(3) + b"\0\0\0" + b"\0")
    (datum,) = await decoded(schema, value[: len(value) - cut])
    if cut:
        assert datum == Undecodable("truncated")
    else:
        assert len(datum["f0"]) == 1_000_000


async def test_what_is_decoded_together_is_bounded_together() -> None:
    items = HOSTILE["records in each other"]
    decoder = Decoder(Shelf(record_of({"type": "array", "items": items})), ManualClock(), AvroPolicy())
    heavy = record(swarm(items, 6_000))
    await decoder.load(decoder.missing([heavy]))
    assert decoder.portion([heavy] * 10) == 1
    light = record(framed(b"\0"))
    assert decoder.portion([light] * 500) == 500
    assert decoder.portion([light, heavy, light, heavy]) == 3
    assert len(heavy.value or b"") <= decoder.light_bytes


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=60)
@given(st.data(), schemas())
def test_no_value_takes_more_than_it_weighs_or_weighs_more_than_its_bytes_times_the_ratio(
    data: Any, drawn: Any
) -> None:
    schema, named = drawn
    reader_schema = hardened(schema)
    read, weight = compile_reader(reader_schema), Weight(reader_schema)
    payload = encoded(data.draw, schema, named)
    read(payload, 0)  # what is made once and kept is not the value's
    tracemalloc.start()
    datum = read(payload, 0)
    taken_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken_bytes <= weight.ratio * max(1, len(payload)) + 500, datum
    assert not weight.exceeds(payload, 0, weight.ratio * max(1, len(payload)) + 1)
    assert weight.exceeds(payload, 0, taken_bytes - 500) or taken_bytes <= 500


_ATTACK = """
import asyncio, gc, resource
gc.set_threshold(50_000, 20, 100)  # as the command sets it
resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))
from tests.unit.avro import test_weight as t

async def main():
    for name, items in t.HOSTILE.items():
        schema = t.record_of({"type": "array", "items": items})
        values = [t.swarm(items, 1_000_000)] * 2
        for datum in await t.decoded(schema, *values):
            assert isinstance(datum, t.Undecodable) or name == "empty lists in each other", name
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)

asyncio.run(main())
"""


def test_a_megabyte_of_any_of_them_leaves_the_process_alive_and_small() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _ATTACK], cwd=_ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2_000:]
    assert int(ended.stdout) < 700, f"{ended.stdout} MiB"


def test_the_shipped_schemas_are_not_weighed_at_their_usual_size() -> None:
    for file in (_ROOT / "schemas").glob("*.avsc"):
        ratio = Weight(hardened(json.loads(file.read_text()))).ratio
        assert 128 * MIB / ratio > 200_000, "a chunk of 500 ordinary events is below that"
