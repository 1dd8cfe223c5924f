"""One record, ready to be produced."""

from typing import NamedTuple

from consumer.sandbox.generator.kind import Kind


class Emission(NamedTuple):
    """What goes to the topic, and what the generator knows about it."""

    kind: Kind
    payload: str
    """The event's payload type; empty where the value is no event."""
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, str | bytes | None]] | None
    timestamp_ms: int
    """When it was sent, on the stream's own clock; the event itself may be older."""
