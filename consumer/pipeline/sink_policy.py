"""How a destination's requests are filled."""

import msgspec


class SinkPolicy(msgspec.Struct, frozen=True):
    """What goes into one request, and how long an array is filled."""

    max_items: int = 500
    max_bytes: int = 512 * 1024
    linger_s: float = 0.02
    fresh_s: float = 5.0
    """A reservation older than this is renewed before the send."""
