"""Values that no consumer can read."""

from collections.abc import Callable
from random import Random

from consumer.sandbox.generator.kind import Kind

# Far above what any registry has given out.
_NO_SUCH_SCHEMA = b"\x00\x7f\xff\xff\xff"


class Poison:
    """Spoils a good value in one of the ways that happen."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._spoilers: dict[Kind, Callable[[bytes], bytes]] = {
            # Someone's JSON producer on the wrong topic: by far the most common first byte that is not 0.
            Kind.WRONG_MAGIC: lambda value: b'{"id": "sent as JSON by mistake"}',
            Kind.UNKNOWN_SCHEMA: lambda value: _NO_SUCH_SCHEMA + value[5:],
            Kind.TRUNCATED: self._truncate,
            Kind.TRAILING_BYTES: lambda value: value + b"\x00tail",
            Kind.EMPTY_VALUE: lambda value: b"",
        }

    def spoil(self, kind: Kind, value: bytes) -> bytes:
        """A value of this undecodable kind, made from a framed event. Raises KeyError for another kind."""
        return self._spoilers[kind](value)

    def _truncate(self, value: bytes) -> bytes:
        # Anywhere after the schema's id: also within the event's own id, and one byte before the end.
        return value[: self._rng.randrange(5, len(value))]
