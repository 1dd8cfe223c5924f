"""Whatever the schema, the routes and the data, sound or not: native code's answers are Python's, or there are none."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.avro.decoder import Decoder
from consumer.avro.policy import AvroPolicy
from consumer.avro.undecodable import Undecodable
from consumer.clock import ManualClock
from consumer.pipeline.shortcuts import Shortcuts
from consumer.resources import schemas_dir, topology_dir
from consumer.sandbox.generator import Mix, Stream, user_event_schema
from consumer.sandbox.generator import Plan as Events
from consumer.topology.load import load_plan
from consumer.topology.plan import Dropped, Matched
from consumer.types import Record
from tests.contract.readers.shapes import Draw, encoded, schemas
from tests.contract.readers.test_agreement import damaged
from tests.contract.shortcuts.conftest import Ways
from tests.unit.avro.avro_values import Shelf, record_of

thorough = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)

_ODD = 'é\n"\\\x1f\u2028'
_WORDS = ("a", "A", "x" * 63, " ", "ä€😀", "opened")


Paths = list[tuple[str, str]]
"""With what lies there: the name of an Avro type."""


def paths_in(schema: Any, named: Mapping[str, Any], depth: int = 3) -> Paths:
    """Paths to values of a schema, and to some that are not there."""
    found: Paths = []
    for branch in schema if isinstance(schema, list) else [schema]:
        one = named.get(branch, branch) if isinstance(branch, str) else branch
        if not isinstance(one, dict) or depth == 0:
            continue
        if one["type"] == "record":
            for field in one["fields"]:
                name, kind = field["name"], field["type"]
                for each in kind if isinstance(kind, list) else [kind]:
                    each = named.get(each, each) if isinstance(each, str) else each
                    found.append((name, each["type"] if isinstance(each, dict) else each))
                found += [(f"{name}.{rest}", what) for rest, what in paths_in(kind, named, depth - 1)]
        elif one["type"] == "map" and depth == 1:
            found.append(("a", "string"))
    return [*dict.fromkeys(found), ("missing", "null")]


_TEXT = ("string", "enum")
_OBJECT = ("record", "map")


class Routes:
    """Draws routes over some paths. Most of what is drawn is plausible: else there would be nothing but refusals."""

    def __init__(self, draw: Draw, paths: Paths) -> None:
        self._draw = draw
        self._paths = paths

    def one(self) -> dict[str, Any]:
        """A route to an operation that is plain."""
        route: dict[str, Any] = {"key": self._path(*_TEXT) if self._rarely() else "none"}
        if self._rarely():
            route["when"] = self._conditions()
        if self._rarely():
            route["drop"] = [{"reason": "bot", **self._conditions()}]
        if self._rarely():
            route["once"] = {"at": self._path("long"), "window": "20m"}
        if self._draw(st.booleans()):
            return {**route, "to": "client_api/events", "map": self._event()}
        return {**route, "to": "distinct", "map": self._analytics()}

    def _event(self) -> dict[str, Any]:
        item = {"name": self._text(), "external_id": self._text(), "anonymous_id": self._optional(*_TEXT)}
        return {**item, "data": self._object()} if self._draw(st.booleans()) else item

    def _analytics(self) -> dict[str, Any]:
        moment = {"const": "2026-04-27T12:00:00Z"}
        return {
            "userId": self._text(),
            "phone": self._optional("null", *_TEXT),
            "feature": self._text() if self._rarely() else {"const": "page_visit"},
            "action": self._text() if self._rarely() else {"const": "Viewed"},
            "experienceId": self._text(),
            "capturedAt": self._path("long") if self._rarely() else moment,
            "metadata": self._object(),
        }

    def _object(self, depth: int = 2) -> Any:
        if self._rarely():
            return self._optional(*_OBJECT)
        count = self._draw(st.integers(1, 4))
        return {"object": {f"m{number}": self._any(depth - 1) for number in range(count)}}

    def _text(self) -> Any:
        known = self._draw(st.booleans()) or not any(kind in _TEXT for _, kind in self._paths)
        return {"const": _ODD} if known else self._any(0, *_TEXT)

    def _any(self, depth: int = 0, *kinds: str) -> Any:
        forms = ("path", "optional", "optional", "default", "template", "const", "object")
        match self._draw(st.sampled_from(forms if depth else forms[:-1])):
            case "path" if self._rarely():
                return self._path(*kinds)
            case "path" | "optional":
                return self._optional(*kinds)
            case "default":
                return {"path": self._path(*kinds), "default": self._value()}
            case "template":
                return {"template": f"a{{{self._optional(*_TEXT)}}}/{{{self._optional(*_TEXT)}}}\u2028{{{{"}
            case "const":
                return {"const": self._value()}
        return self._object(depth)

    def _conditions(self) -> dict[str, Any]:
        draw, said = self._draw, {}
        for name in draw(st.sampled_from((("where",), ("unless",), ("where", "unless")))):
            said[name] = [self._condition() for _ in range(draw(st.integers(1, 2)))]
        return said

    def _condition(self) -> dict[str, Any]:
        draw = self._draw
        words = st.sampled_from(_WORDS)
        asked = {
            "exists": st.booleans(),
            "equals": words | st.booleans() | st.just(1),
            "in": st.lists(words, min_size=1, max_size=3),
            "user_agent": st.just("bots"),
            "matches": st.just("a+"),
        }
        kind = draw(st.sampled_from(sorted(asked)))
        test = {"path": self._path(), kind: draw(asked[kind])}
        folds = kind == "in" or (kind == "equals" and isinstance(test[kind], str))
        return {**test, "ignore_case": True} if folds and draw(st.booleans()) else test

    def _value(self) -> Any:
        return self._draw(st.sampled_from((*_WORDS, "", 5, -1.5, True, 2**60)))

    def _rarely(self) -> bool:
        return bool(self._draw(st.integers(0, 3)) == 0)

    def _path(self, *kinds: str) -> str:
        every = [path for path, _ in self._paths]
        fitting = [path for path, kind in self._paths if kind in kinds] or every
        path: str = self._draw(st.sampled_from(every if self._rarely() else fitting))
        return path

    def _optional(self, *kinds: str) -> str:
        return f"{self._path(*kinds)}?"


_PLAIN = record_of(
    "string",
    ["null", "string"],
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "map", "values": ["null", "double", "string", "long"]},
    ["null", record_of("string", {"type": "array", "items": ["boolean", "string"]}, "float", name="Inner")],
    {"type": "enum", "name": "E", "symbols": ["A", "opened", "C"]},
)
"""Nothing that only Python reads, and much text: most of what is drawn for it has an answer."""


@settings(thorough, max_examples=300)
@given(st.data(), st.just((_PLAIN, {})) | schemas())
def test_drawn_routes_get_the_same_answers_or_none(data: Any, drawn: Any) -> None:
    schema, named = drawn
    routes = Routes(data.draw, paths_in(schema, named))
    ways = Ways(schema, [routes.one() for _ in range(data.draw(st.integers(1, 2)))])
    for _ in range(3):
        payload = encoded(data.draw, schema, named)
        ways.agree(payload)
        ways.agree(damaged(data.draw, payload))


_KEYS = {
    "DISTINCT_API_KEY": "k",
    "CLIENT_API_KEY": "pk",
    "CLIENT_API_BASE_URL": "https://client.example",
    "EVENT_API_KEY": "e",
}
_BENCH = {**_KEYS, "DISTINCT_BASE_URL": "http://127.0.0.1:9", "CLIENT_API_BASE_URL": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("folder", "share"),
    [("arrays", 0.95), ("singles", 0.95), ("shipped", 0.45)],
)
async def test_generated_events_get_the_same_answers_and_most_get_them_at_once(
    folder: str, share: float
) -> None:
    where = topology_dir() if folder == "shipped" else topology_dir().parent / "bench" / "topology" / folder
    plan = load_plan(where, _KEYS if folder == "shipped" else _BENCH, schemas=schemas_dir())
    shelf = Shelf(user_event_schema())
    decoder = Decoder(shelf, ManualClock(), AvroPolicy())
    events = Events(count=3_000, seed=5, schema_id=1, start_ms=1_770_000_000_000, mix=Mix())
    records = [
        Record("user-events", 0, offset, 0, one.key, one.value, None)
        for offset, one in enumerate(Stream(events, user_event_schema()))
        if one.value
    ]
    while missing := decoder.missing(records):
        await decoder.load(missing)
    shortcuts = Shortcuts(decoder).of(plan, "user-events")
    assert shortcuts is not None
    router = plan.router("user-events")
    answered = 0
    kinds = set()
    for record, datum, seen in zip(
        records, decoder.decode(records), decoder.answer(records, shortcuts), strict=True
    ):
        if isinstance(seen, list):
            answered += 1
            assert not isinstance(datum, Undecodable)
            assert seen == router(datum, record)
            kinds |= set(map(type, seen))
        else:
            assert seen == datum
    assert answered >= share * len(records)
    assert kinds >= {Matched, Dropped}
