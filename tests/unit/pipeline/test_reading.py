"""Heavy chunks are read in portions, in their order, and nothing of them is read twice."""

from collections import deque
from typing import Any

from consumer.avro.decoder import Decoder
from consumer.avro.policy import AvroPolicy
from consumer.avro.undecodable import CRASHED, Undecodable
from consumer.clock import ManualClock
from consumer.pipeline.reading import Reading
from consumer.pipeline.work import Parcel
from consumer.types import Record
from tests.unit.avro.avro_values import Shelf, framed, record_of, varint

SCHEMA = record_of({"type": "array", "items": record_of("int", name="Item")})


def listing(offset: int, items: int) -> Record:
    return Record("t", 0, offset, 0, None, framed(varint(items) + b"\0" * items + b"\0"), None)


async def reading(**policy: Any) -> Reading:
    decoder = Decoder(Shelf(SCHEMA), ManualClock(), AvroPolicy(**policy))
    await decoder.load(decoder.missing([listing(0, 1)]))
    return Reading(decoder)


async def test_a_heavy_parcel_is_divided_until_each_part_fits_and_keeps_numbers_and_order() -> None:
    one = await reading(max_datum_bytes=100_000)
    parcel = Parcel(7, [listing(offset, 100) for offset in range(10)])
    parcel.judged = True
    assert not one.fits(parcel)
    backlog = deque([parcel, Parcel(17, [listing(10, 1)])])
    for at in range(50):
        if at < len(backlog):
            while one.divide(backlog, backlog[at]):
                pass
    assert len(backlog) > 3
    assert all(one.fits(part) for part in backlog)
    assert [record.offset for part in backlog for record in part.records] == list(range(11))
    assert [part.first for part in backlog] == [7 + part.records[0].offset for part in backlog]
    assert all(part.judged for part in backlog if part.first < 17)


async def test_an_ordinary_parcel_is_not_divided() -> None:
    one = await reading()
    parcel = Parcel(0, [listing(offset, 3) for offset in range(500)])
    backlog = deque([parcel])
    assert one.fits(parcel)
    assert not one.divide(backlog, parcel)
    assert list(backlog) == [parcel]


async def test_what_a_child_died_of_is_not_decoded_and_the_others_keep_their_places() -> None:
    one = await reading()
    crashed = Undecodable(CRASHED)
    values = [listing(offset, offset + 1) for offset in range(4)]
    data = one.data(values, {1: crashed, 3: crashed}, None)
    assert data[1] is data[3] is crashed
    assert [len(datum["f0"]) for datum in (data[0], data[2]) if isinstance(datum, dict)] == [1, 3]
