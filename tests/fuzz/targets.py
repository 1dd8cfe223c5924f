"""What is fuzzed: each takes any bytes, and raises where something does not hold that holds for all of them."""

import asyncio
import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

from consumer.avro.compiled import fastavro_reader
from consumer.avro.decoder import Decoder
from consumer.avro.framing import HEADER, is_schema_id, schema_id
from consumer.avro.undecodable import TRAILING, Undecodable, undecodable
from consumer.avro.weight import Weight
from consumer.clock import ManualClock
from consumer.endpoints.catalogue import APIS
from consumer.endpoints.endpoint import Operation
from consumer.endpoints.outcome import Delivered, Halted, Rejected, Retry, Unclear
from consumer.http.sender import Answer
from consumer.pipeline.shortcuts import Shortcuts
from consumer.resources import schemas_dir, topology_dir
from consumer.topology.load import load_plan
from consumer.topology.plan import Dropped, Matched, Unmapped
from consumer.types import Headers, Record
from tests.contract.readers.conftest import WHOLE, hardened
from tests.fuzz.datum import datum_from
from tests.unit.avro.avro_values import EVENT, Shelf, record_of

USER_EVENT = json.loads((schemas_dir() / "user-event.avsc").read_bytes())
_DECIMAL = {"logicalType": "decimal", "precision": 9, "scale": 3}
SHAPES = [
    USER_EVENT,
    EVENT,
    record_of(
        {"type": "array", "items": {"type": "map", "values": ["null", "long", "string"]}}, "double", "float"
    ),
    record_of(
        {"type": "bytes", **_DECIMAL},
        {"type": "fixed", "name": "F", "size": 5, **_DECIMAL},
        {"type": "string", "logicalType": "uuid"},
        {"type": "int", "logicalType": "date"},
        {"type": "long", "logicalType": "timestamp-micros"},
        {"type": "enum", "name": "E", "symbols": ["A", "B"]},
        ["null", record_of("boolean", ["int", "bytes"], name="Inner")],
    ),
]
_READER_SCHEMAS = [hardened(schema) for schema in SHAPES]
_READERS = [
    ([make(one) for make in WHOLE.values()], fastavro_reader(one), Weight(one)) for one in _READER_SCHEMAS
]


def _known_decoder() -> Decoder:
    shelf = Shelf(*SHAPES)
    decoder = Decoder(shelf, ManualClock())
    known = [Record("t", 0, 0, 0, None, raw, None) for raw in shelf.known if len(raw) == 5]
    asyncio.run(decoder.load(decoder.missing(known)))
    return decoder


_DECODER = _known_decoder()
_USER_EVENT_ID = schema_id(1)


def framing(data: bytes) -> None:
    """A value and its headers, of any bytes: one verdict or datum, and an id is asked for only if it is one."""
    count, rest = data[:1], data[1:]
    headers: Headers = []
    for _ in range((count or b"\0")[0] % 4):
        size = (rest[:1] or b"\0")[0] % 24
        headers.append((HEADER if size % 2 else "other", rest[1 : 1 + size] or None))
        rest = rest[1 + size :]
    one = Record("t", 0, 0, 0, None, rest, headers or None)
    missing = _DECODER.missing([one])
    assert all(is_schema_id(each) for each in missing)
    if not missing:
        (datum,) = _DECODER.decode([one])
        assert isinstance(datum, dict | Undecodable)


def decode(data: bytes) -> None:
    """Every reader beside fastavro: the same datum or the same verdict, and no more memory than is said."""
    readers, fastavro, weight = _READERS[(data[:1] or b"\0")[0] % len(_READERS)]
    payload = data[1:]
    seen = _outcome(fastavro, payload)
    for read in readers:
        assert _outcome(read, payload) == seen
    assert seen.startswith("Undecodable") or not weight.exceeds(
        payload, 0, weight.ratio * max(1, len(payload)) + 1
    )


def _outcome(read: Callable[[bytes, int], tuple[Any, int]], payload: bytes) -> str:
    try:
        datum, end = read(payload, 0)
    except Exception as error:
        return repr(undecodable(error))
    return repr(datum if end == len(payload) else Undecodable(TRAILING))


_PLAN = load_plan(
    topology_dir(),
    {
        "DISTINCT_API_KEY": "k",
        "CLIENT_API_KEY": "pk",
        "CLIENT_API_BASE_URL": "https://client.example",
        "EVENT_API_KEY": "e",
    },
    schemas=schemas_dir(),
)
_ROUTE = _PLAN.router("user-events")


def mapping(data: bytes) -> None:
    """A user event with any content that its schema allows: every route says what it makes of it, and sends JSON."""
    datum = datum_from(_READER_SCHEMAS[0], data)
    record = Record("user-events", 0, 1, 0, data[:4] or None, b"", None)
    for routed in _ROUTE(datum, record):
        match routed:
            case Matched():
                json.loads(routed.body)
                json.loads(routed.route.operation.body([routed.body]))
                assert routed.key is None or len(routed.key) == 16
            case Unmapped() | Dropped():
                assert len(routed.reason) < 120
    _PLAN.user("user-events")(datum)


_SHORTCUTS = Shortcuts(_DECODER).of(_PLAN, "user-events")


def shortcut(data: bytes) -> None:
    """A user event's value, of any bytes: native code has the answers that the routes have, or none."""
    record = Record("user-events", 0, 1, 0, b"ada", _USER_EVENT_ID + data, None)
    (datum,), (seen,) = _DECODER.decode([record]), _DECODER.answer([record], _SHORTCUTS)
    if isinstance(seen, list):
        assert isinstance(datum, dict)
        assert seen == _ROUTE(datum, record)
    else:
        assert repr(seen) == repr(datum)


_CLOCK = ManualClock()
_OPERATIONS: list[tuple[str, Operation]] = [
    (api, entry.build(_CLOCK, {})) for api, entries in APIS.items() for entry in entries.values()
]


def answers(data: bytes) -> None:
    """Any answer of a receiver: an outcome, never an acknowledgement but the documented one, and short words."""
    which, status, wait_bytes = struct.unpack(">BHB", data[:4].ljust(4, b"\0"))
    api, operation = _OPERATIONS[which % len(_OPERATIONS)]
    status = 100 + status % 900
    size = wait_bytes % 32
    wait, body = data[4 : 4 + size].decode("latin-1"), data[4 + size :]
    outcome = operation.classify(Answer(status, {"retry-after": wait} if wait else {}, body))
    if isinstance(outcome, Delivered):
        assert status == (204 if api == "client_api" else 200)
        if api.startswith("distinct"):
            assert json.loads(body)["statusCode"] == 200
        elif api == "event_api":
            reply = json.loads(body)
            assert "results" in reply
            assert not reply.get("errors")
        return
    assert isinstance(outcome, Retry | Rejected | Halted | Unclear)
    assert len(outcome.reason) < 120


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "framing": framing,
    "decode": decode,
    "mapping": mapping,
    "shortcut": shortcut,
    "answers": answers,
}
