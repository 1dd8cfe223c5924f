"""The quick way for an array in which nothing is wrong: decoded and checked in one pass of C.

It knows no text of any refusal. Whatever is not plainly good, for whatever reason, is left to the full rules,
which then read the body again; a test holds the two to the same verdicts. Arrays are most of what the
simulator gets in a bench, and the full rules cost a multiple of this.
"""

from typing import Annotated

import msgspec

from consumer.sandbox.simulator.client_body import LIMIT_BYTES
from consumer.sandbox.simulator.client_harm import TEXT_LIMIT
from consumer.sandbox.simulator.request import Request

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_LIMIT)]
_Scalar = str | int | float | bool | None


class OrdinaryEvent(msgspec.Struct, frozen=True, gc=False):
    """An event with fitting names and flat data, without the user's profile."""

    name: _Text
    external_id: _Text | None = None
    anonymous_id: _Text | None = None
    data: dict[str, _Scalar] = {}
    user: msgspec.UnsetType = msgspec.UNSET


_DECODER = msgspec.json.Decoder(list[OrdinaryEvent])


def read_ordinary_events(request: Request) -> list[OrdinaryEvent] | None:
    """The events, at least one and each with an id; None: judge by the full rules."""
    headers, body = request.headers, request.body
    if headers.get(b"content-type") != b"application/json" or b"content-encoding" in headers:
        return None
    if len(body) > LIMIT_BYTES:
        return None
    try:
        events = _DECODER.decode(body)
    except ValueError:
        return None
    for event in events:
        if event.external_id is None and event.anonymous_id is None:
            return None
    return events or None
