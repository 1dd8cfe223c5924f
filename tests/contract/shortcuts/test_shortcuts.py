"""What native code answers by itself, what it leaves to Python, and what it must not swallow."""

import struct
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.topology.plan import Dropped, Matched
from tests.contract.shortcuts.conftest import KEY, Ways
from tests.unit.avro.avro_values import record_of, varint
from tests.unit.topology.ids import ID, NO_ID_WITH_A_TIME

NAMED = {"to": "client_api/events", "key": "none"}
TEXT = record_of("string")


def text(value: str) -> bytes:
    raw = value.encode()
    return varint(len(raw)) + raw


def event(**data: Any) -> dict[str, Any]:
    """A route to an event whose `data` has these."""
    item = {"name": {"const": "n"}, "external_id": {"const": "u"}}
    return {**NAMED, "map": {**item, "data": {"object": data}}}


@cache
def keyed() -> Ways:
    """One route whose key is the text."""
    return Ways(TEXT, [{**event(sure={"const": 1}), "key": "f0"}])


def answered(ways: Ways, payload: bytes, key: bytes = KEY) -> bool:
    """Whether by native code; what it says is Python's word."""
    return ways.agree(payload, key)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("", True),
        (" \t\x1f", True),
        ("a", True),
        ('"\\\b\f\n\r\t\x00\x1f\x7f/', True),
        ("ä€😀\u2028", True),
        ("x" * 255, True),
        ("é" * 255, True),
        (" é", True),
        ("\u00a0", False),  # white to Python, which native code does not know
        ("x" * 256, False),
        ("é" * 256, False),
    ],
)
def test_a_text_is_sent_left_out_or_left_to_python(value: str, plain: bool) -> None:
    route = {**NAMED, "map": {"name": {"const": "n"}, "external_id": {"const": "u"}, "anonymous_id": "f0?"}}
    assert answered(Ways(TEXT, [route]), text(value)) is plain


@pytest.mark.parametrize(
    ("action", "plain"), [("viewed", True), ("VIEWED", True), ("opened", False), ("vıewed", False)]
)
def test_a_pair_is_looked_up_in_lower_case_and_one_that_is_not_registered_is_left(
    action: str, plain: bool
) -> None:
    said = {"userId": {"const": "u"}, "feature": {"const": "page_visit"}, "action": "f0"}
    moment = {"experienceId": {"const": "e"}, "capturedAt": {"const": "2026-04-27T12:00:00Z"}}
    assert (
        answered(Ways(TEXT, [{"to": "distinct", "map": {**said, **moment}, "key": "none"}]), text(action))
        is plain
    )


@pytest.mark.parametrize(
    ("schema", "payload", "plain"),
    [
        ("double", struct.pack("<d", 0.1), True),
        ("double", struct.pack("<d", 1e300), True),
        ("double", struct.pack("<d", -0.0), True),
        ("double", struct.pack("<d", 5e-324), True),
        ("double", struct.pack("<d", float("nan")), False),
        ("float", struct.pack("<f", 0.1), True),
        ("float", struct.pack("<f", float("inf")), False),
        ("long", varint(-(2**63)), True),
        ("long", varint(2**63 - 1), True),
        ("long", varint(0), True),
        ("boolean", b"\x07", True),
        ("bytes", varint(1) + b"a", False),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3}, varint(1) + b"\1", False),
        ({"type": "long", "logicalType": "timestamp-micros"}, varint(-1), True),
        ({"type": "long", "logicalType": "timestamp-millis"}, varint(1_770_000_000_000), True),
        ({"type": "long", "logicalType": "timestamp-millis"}, varint(2**62), False),
        ({"type": "map", "values": "null"}, varint(0), True),
        ({"type": "map", "values": "int"}, varint(2) + text("a") + varint(1) + text("b") + b"\4\0", True),
        ({"type": "map", "values": "int"}, varint(2) + text("a") + varint(1) + text("a") + b"\4\0", False),
        ({"type": "array", "items": "int"}, varint(-1) + varint(1) + varint(7) + varint(0), True),
        (["null", record_of("int", name="In")], varint(1) + varint(5), True),
        (["null", "int"], varint(0), True),
    ],
)  # fmt: skip
def test_a_value_in_an_object_is_written_as_python_writes_it_or_left(
    schema: Any, payload: bytes, plain: bool
) -> None:
    assert answered(Ways(record_of(schema), [event(sure={"const": 1}, value="f0?")]), payload) is plain


@pytest.mark.parametrize(("levels", "plain"), [(29, True), (30, False)])
def test_what_is_nested_deeper_than_the_receiver_takes_is_left(levels: int, plain: bool) -> None:
    schema: Any = "int"
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    payload = varint(1) * levels + varint(7) + varint(0) * levels
    assert answered(Ways(record_of(schema), [event(value="f0")]), payload) is plain


def test_data_that_is_damaged_where_no_path_leads_is_left() -> None:
    ways = Ways(record_of("string", "string", ["null", "int"]), [event(value="f0")])
    sound = text("a") + text("b") + varint(0)
    assert answered(ways, sound)
    for damaged in (sound + b"\0", sound[:-1], text("a") + b"\x02\xff" + varint(0), sound[:-1] + varint(2)):
        assert not answered(ways, damaged)


def test_a_record_without_a_key_is_left() -> None:
    assert not answered(Ways(TEXT, [event(value="f0")]), text("a"), b"")


def test_the_key_is_the_digest_that_python_makes_and_an_empty_one_is_left() -> None:
    ways = Ways(TEXT, [{**event(sure={"const": 1}), "key": "f0"}])
    assert answered(ways, text("é-1"))
    assert not answered(ways, text(""))
    (matched,) = ways.by_native(text("é-1")) or []
    assert isinstance(matched, Matched)
    assert matched.key is not None


@pytest.mark.parametrize("id", [ID, ID.upper(), *NO_ID_WITH_A_TIME])
def test_the_key_of_an_id_that_tells_when_it_was_made_is_pythons(id: str) -> None:
    assert answered(keyed(), text(id))


@given(
    st.from_regex(r"[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[789abc][0-9a-f]{3}-[0-9a-f]{12}", fullmatch=True)
)
def test_any_such_id_has_pythons_key(id: str) -> None:
    assert answered(keyed(), text(id))


@given(st.integers(0, 35), st.characters(max_codepoint=0x2FF))
def test_such_an_id_with_any_character_in_any_place_has_pythons_key(place: int, character: str) -> None:
    assert answered(keyed(), text(ID[:place] + character + ID[place + 1 :]))


def test_a_window_is_of_the_records_key_and_its_time() -> None:
    schema = record_of({"type": "long", "logicalType": "timestamp-micros"}, "string")
    ways = Ways(schema, [{**event(value="f1"), "once": {"at": "f0", "window": "20m"}}])
    for micros in (1_770_000_000_123_456, -1):
        assert answered(ways, varint(micros) + text("a"))


def test_the_words_of_conditions_and_their_drops_are_pythons() -> None:
    route = event(value="f0")
    tests = {"path": "f0", "in": ["bot", "Ä"], "ignore_case": True}
    ways = Ways(TEXT, [{**route, "drop": [{"reason": "machine", "where": [tests]}]}])
    assert answered(ways, text("BOT"))
    assert list(map(type, ways.by_native(text("BOT")) or [])) == [Dropped]
    assert answered(ways, text("ada"))
    assert not answered(ways, text("ä"))


def test_a_route_that_only_python_maps_is_passed_over_or_its_record_is_left() -> None:
    only = {"to": "client_api/events", "when": {"where": [{"path": "f0", "equals": "rare"}]}}
    route = {
        **only,
        "map": {"name": "f0", "external_id": {"cel": "a + '!'", "with": {"a": "f0"}}},
        "key": "f0",
    }
    ways = Ways(TEXT, [route, event(value="f0")])
    assert answered(ways, text("usual"))
    assert not answered(ways, text("rare"))


def test_the_type_of_a_payload_chooses_the_routes() -> None:
    payload = [record_of("string", name="A"), record_of("string", name="B"), "string"]
    only = {**event(value="f0.f0"), "when": {"type": "A"}}
    ways = Ways(record_of(payload), [only, event(sure={"const": 1})], payload_field="f0")
    for index in (0, 1, 2):
        assert answered(ways, varint(index) + text("x"))
    assert [len(ways.by_native(varint(index) + text("x")) or []) for index in (0, 1, 2)] == [2, 1, 1]


@pytest.mark.parametrize(
    ("to", "item", "plain"),
    [
        ("client_api/alias", {"anonymous_id": {"const": "a"}, "external_id": "f0"}, True),
        ("client_api/identify", {"external_id": "f0", "phone": "f0", "data": {"object": {"a": "f0"}}}, True),
        ("client_api/identify", {"external_id": "f0", "timezone": "f0"}, False),
        ("client_api/devices", {"external_id": "f0", "device_id": "f0", "os": "f0", "model": "f0", "app_build": "f0",
                                "app_version": "f0"}, False),
    ],
)  # fmt: skip
def test_what_of_the_client_api_is_mapped_beside_events(to: str, item: dict[str, Any], plain: bool) -> None:
    assert answered(Ways(TEXT, [{"to": to, "key": "none", "map": item}]), text("ada")) is plain


def test_a_path_into_a_map_has_no_shortcut() -> None:
    ways = Ways(record_of({"type": "map", "values": "string"}), [event(value="f0.a")])
    assert ways.shortcut is None


def test_a_schema_with_more_ways_than_can_be_kept_has_no_shortcut() -> None:
    schema: Any = ["string"]
    for level in range(4):
        schema = [
            {
                "type": "record",
                "name": f"L{level}N{number}",
                "fields": [{"name": "f0", "type": schema if number == 0 else _named(schema)}],
            }
            for number in range(60)
        ]
    assert Ways(record_of(schema), [event(value="f0.f0.f0.f0.f0")]).shortcut is None


def _named(union: Any) -> Any:
    return [one if isinstance(one, str) else one["name"] for one in union]


def test_who_interrupts_the_process_is_not_taken_for_a_value_that_is_not_plain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised: list[type[BaseException]] = [ValueError]

    def judge(_: str) -> bool:
        raise raised[0]

    monkeypatch.setattr("consumer.topology.recipe.is_bot", judge)
    bots = {"reason": "bot", "where": [{"path": "f0", "user_agent": "bots"}]}
    ways = Ways(TEXT, [{**event(value="f0"), "drop": [bots]}])
    assert ways.by_native(text("Mozilla")) is None
    raised[0] = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        ways.by_native(text("Mozilla"))
