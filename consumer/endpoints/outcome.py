"""What became of one request, in the six words the pipeline acts on."""

from enum import Enum

import msgspec


class Refused(Enum):
    """Why a definite refusal may be worth another attempt, or not."""

    FOR_GOOD = "for_good"
    UNKNOWN_USER = "unknown_user"
    """May be a race with the user's registration: a delayed retry of that lane, bounded."""


class Delivered(msgspec.Struct, frozen=True):
    """Acknowledged as the vendor's page says, and in no other way."""


class Retry(msgspec.Struct, frozen=True):
    """Clearly not taken now and nobody's fault (429 …): the same bytes again, not before `after_s` seconds."""

    reason: str
    after_s: float | None = None


class Rejected(msgspec.Struct, frozen=True):
    """A definite refusal of the record, or of a member of the array."""

    reason: str
    status: int
    kind: Refused = Refused.FOR_GOOD


class Halted(msgspec.Struct, frozen=True):
    """The destination's fault, or ours to fix (credentials, path, DNS, TLS): nothing was taken, nothing is
    lost.
    """

    reason: str


class Unclear(msgspec.Struct, frozen=True):
    """It may have been taken or not (5xx, time-out, reset, a generic 400).

    `after_s`: where the answer asked for it (a 503 with Retry-After), the next attempt comes no earlier.
    """

    reason: str
    after_s: float | None = None


class Late(msgspec.Struct, frozen=True):
    """It was not sent: its reservation had grown too old when its first byte was to go."""


Outcome = Delivered | Retry | Rejected | Halted | Unclear | Late
