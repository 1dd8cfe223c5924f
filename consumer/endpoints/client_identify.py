"""Client API identify: POST /api/client/identify, which creates a user or merges traits into one."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from consumer.clock import Clock
from consumer.endpoints import checks
from consumer.endpoints.client_api import IDENTIFIER_RULES, IDENTIFIERS, TRAIT_RULES
from consumer.endpoints.client_single import ClientSingle, ClientSingleOptions
from consumer.endpoints.collapsing import Collapsing
from consumer.endpoints.fields import Rule, Rules
from consumer.endpoints.time_zones import iana_timezone

RULES = Rules(
    # The page asks for an external id; to the server either id will do.
    *IDENTIFIER_RULES,
    # In an event the server takes any text for a time zone, here it does not.
    *(rule for rule in TRAIT_RULES if rule.name != "timezone"),
    Rule("timezone", iana_timezone),
    # Levels: 1 the object, 2 its data.
    Rule("data", checks.json_object(level=2)),
)

_Fields = dict[str, msgspec.Raw]
_DECODER = msgspec.json.Decoder(_Fields)
_NO_DATA = msgspec.Raw(b"{}")


class ClientIdentifyOptions(ClientSingleOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a topology may set for the operation."""

    collapse: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    """So many of one user's consecutive items may become one request; 1: each is sent by itself."""


class ClientIdentify(ClientSingle, Collapsing):
    """The operation, at one account.

    The server works on several requests at a time: of 30 identifies of one user with a different trait each it
    kept 27 to 29 traits. Collapsed into one request, none can overwrite another.
    """

    name = "identify"
    path = "/api/client/identify"

    def __init__(self, clock: Clock, options: ClientIdentifyOptions | None = None) -> None:
        options = options or ClientIdentifyOptions()
        super().__init__(RULES, clock, options)
        self.max_items = options.collapse

    def joint(self, items: Sequence[bytes]) -> int:
        """Those with both ids equal, letter for letter: one id more or less may be another user to the server."""
        first = _ids(items[0])
        for count, item in enumerate(items[1:], 1):
            if _ids(item) != first:
                return count
        return len(items)

    def body(self, items: Sequence[bytes]) -> bytes:
        """One object: the server merges `data` shallowly and lets the later value stand, and so does this.

        Values are carried over as they were encoded. Raises ValueError for no item.
        """
        if not items:
            raise ValueError("a request to the Client API's identify needs an item")
        return items[0] if len(items) == 1 else _merged(items)


def _ids(item: bytes) -> list[bytes | None]:
    fields = _DECODER.decode(item)
    return [bytes(fields[name]) if name in fields else None for name in sorted(IDENTIFIERS)]


def _merged(items: Sequence[bytes]) -> bytes:
    merged: _Fields = {}
    data: _Fields = {}
    for item in items:
        fields = _DECODER.decode(item)
        data.update(_DECODER.decode(fields.pop("data", _NO_DATA)))
        merged.update(fields)
    return msgspec.json.encode({**merged, "data": data} if data else merged)
