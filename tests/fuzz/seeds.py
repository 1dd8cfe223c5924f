"""Where fuzzing begins: a few sound inputs of each target, and what was once found with them."""

import json
import struct
from collections.abc import Mapping

from consumer.sandbox.generator import Plan, Stream, user_event_schema
from tests.unit.avro.avro_values import framed


def _events(count: int) -> list[bytes]:
    """Generated events, without an id in front."""
    stream = Stream(Plan(count=count, seed=3, schema_id=1, start_ms=1_770_000_000_000), user_event_schema())
    return [emission.value[5:] for emission in stream if emission.value is not None][:count]


def _answer(status: int, body: object, which: int = 0, wait: bytes = b"") -> bytes:
    return struct.pack(">BHB", which, status - 100, len(wait)) + wait + json.dumps(body).encode()


EVENTS = _events(60)
SEEDS: Mapping[str, list[bytes]] = {
    "framing": [
        b"\0" + framed(EVENTS[0]),
        b"\0\0\0\0\0\1",
        b"\1\x11\1" + bytes(range(16)) + EVENTS[0],
        b"\2\5\0\0\0\0\1\4abcd" + EVENTS[1],
        b"\0\1",
        b"",
    ],
    "decode": [
        *(b"\0" + event for event in EVENTS[:30]),
        b"\1\4e1\0\0\2\2a\6\x04\xd2\0\0\0\0",
        b"\2\2\2\2k\2\6\0\0" + b"\0" * 12,
        b"\3\4\1\2" + b"\0" * 5 + b"\x48" + b"0" * 36 + b"\0\0\0\0\0",
        b"\2" + b"\xff" * 9 + b"\2",
        b"\2\1\2\0\0" + b"\0" * 12,
    ],
    "mapping": [*EVENTS, b"", bytes(range(256))],
    "shortcut": EVENTS,
    "answers": [
        *(
            _answer(status, body, which)
            for which in (0, 1, 2, 8, 11)
            for status, body in (
                (200, {"statusCode": 200, "message": "Success"}),
                (200, {"results": [{"id": 1}], "errors": []}),
                (204, ""),
                (400, {"statusCode": 400, "message": "User not found"}),
                (422, {"message": "unprocessable", "error": {"code": 1}}),
            )
        ),
        _answer(429, {}, wait=b"120"),
        _answer(503, {}, 2, wait=b"Wed, 21 Oct 2026 07:28:00 GMT"),
        _answer(302, "moved"),
    ],
}
