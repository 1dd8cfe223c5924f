"""When a shortcut is made, kept and asked: with native code played by a few lines of Python."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from consumer.avro.decoder import Decoder
from consumer.avro.framing import schema_id
from consumer.avro.native import Makes, Native, Shortcut
from consumer.avro.policy import AvroPolicy
from consumer.clock import ManualClock
from consumer.pipeline.shortcuts import Shortcuts, records_in
from consumer.topology.plan import Plan
from consumer.types import Record
from tests.contract.readers.conftest import hardened
from tests.unit.avro.avro_values import Shelf, record_of

TOPIC = "t"
VALUE = schema_id(1) + b"\x04e1"
SCHEMA = record_of("string", name="Event")


class PlayedNative:
    """Answers with what it was asked."""

    def __init__(self, *, plain: bool = True) -> None:
        self.made: list[Mapping[str | None, Sequence[Any]]] = []
        self.plain = plain

    def native(self) -> Native:
        def make(schema: Any, meanings: Any, by_type: Any, type_at: Any, makes: Makes) -> Any:
            self.made.append(by_type)
            if not self.plain:
                raise ValueError("not plain")
            return self

        return Native("0", make=lambda *_: self, make_mapper=make)  # type: ignore[arg-type, return-value]

    def answers(self, value: bytes, start: int, key: bytes) -> list[Any] | None:
        return [(value[start:], key)] if key == b"plain" else None


class PlayedRoutes:
    """Of one type, or of none."""

    type_at = ("payload",)

    def __init__(self, *names: str) -> None:
        self._names = names

    def by_type(self, names: Any) -> Mapping[str | None, Sequence[Any]]:
        return {name: () for name in self._names if name in names}


def plan(*names: str) -> Plan:
    return Plan("v", {}, {}, (), {}, {}, plain_routes={TOPIC: PlayedRoutes(*names)})


async def decoder(native: Native | None) -> Decoder:
    one = Decoder(Shelf(SCHEMA), ManualClock(), AvroPolicy(native=False))
    assert one.native is None
    one.native = native
    await one.load(one.missing([record(b"k")]))
    return one


def record(key: bytes | None, value: bytes = VALUE) -> Record:
    return Record(TOPIC, 0, 0, 0, key, value, None)


def shortcut(shortcuts: Shortcuts, of: Plan) -> Shortcut | None:
    found = shortcuts.of(of, TOPIC)
    assert found is not None
    return found[schema_id(1)]


async def test_there_is_none_without_native_code_or_without_plain_routes() -> None:
    assert Shortcuts(await decoder(None)).of(plan("Event"), TOPIC) is None
    native = PlayedNative().native()
    assert Shortcuts(await decoder(native)).of(Plan("v", {}, {}, (), {}, {}), TOPIC) is None


async def test_one_is_made_for_each_schema_and_anew_for_another_plan() -> None:
    played = PlayedNative()
    shortcuts = Shortcuts(await decoder(played.native()))
    first, second = plan("Event"), plan("Event")
    assert shortcut(shortcuts, first) is not None
    assert shortcut(shortcuts, first) is not None
    assert len(played.made) == 1
    shortcut(shortcuts, second)
    assert len(played.made) == 2


async def test_a_schema_without_plain_types_is_not_handed_over_and_one_that_is_refused_not_again() -> None:
    played = PlayedNative(plain=False)
    shortcuts = Shortcuts(await decoder(played.native()))
    assert shortcut(shortcuts, plan("Other")) is None
    assert played.made == []
    refused = plan("Event")
    assert shortcut(shortcuts, refused) is None
    assert shortcut(shortcuts, refused) is None
    assert len(played.made) == 1


async def test_a_record_is_decoded_unless_its_shortcut_has_the_answers() -> None:
    one = await decoder(PlayedNative().native())
    shortcuts = Shortcuts(one).of(plan("Event"), TOPIC)
    records = [record(b"plain"), record(b"other"), record(None), record(b"plain", b"\x01junk")]
    plain, *others = one.answer(records, shortcuts)
    assert plain == [(VALUE[5:], b"plain")]
    assert others == one.decode(records[1:])
    assert [type(datum) for datum in one.answer(records[:3], None)] == [dict, dict, dict]


async def test_a_value_that_is_too_heavy_is_not_even_tried() -> None:
    one = await decoder(PlayedNative().native())
    one.light_bytes = 1
    one._policy = AvroPolicy(native=False, max_value_bytes=5)
    shortcuts = Shortcuts(one).of(plan("Event"), TOPIC)
    assert [type(datum).__name__ for datum in one.answer([record(b"plain")], shortcuts)] == ["Undecodable"]


def test_records_are_found_wherever_they_lie_and_looked_at_once() -> None:
    inner: Any = record_of("int", name="Deep0")
    for level in range(40):
        inner = record_of(inner, inner["name"], name=f"Deep{level + 1}")
    schema = record_of(
        {"type": "array", "items": record_of("int", name="A")},
        {"type": "map", "values": ["null", record_of("string", name="B")]},
        inner,
    )
    names = records_in(hardened(json.loads(json.dumps(schema))))
    assert names == {"R", "A", "B", *(f"Deep{level}" for level in range(41))}
