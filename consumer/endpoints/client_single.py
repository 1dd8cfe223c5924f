"""What the Client API's alias, identify and devices share: one object a request."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from consumer.clock import Clock
from consumer.endpoints.client_api import (
    IDENTIFIERS,
    SERVER_BODY_BYTES,
    ClientResponses,
    identifier_fault,
    request_headers,
)
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.fields import Rules, to_json
from consumer.endpoints.outcome import Outcome
from consumer.endpoints.plain import PlainItem
from consumer.http.sender import Answer


class ClientSingleOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a topology may set for each of them."""

    max_body_bytes: Annotated[int, msgspec.Meta(ge=1024, le=SERVER_BODY_BYTES)] = 786_432
    """Well under what the server takes: a byte too many gets an answer that looks like its own fault."""
    canonical_ids: bool = False
    """Refuse external ids with capitals or non-ASCII, whose records may be lost (`identifier_fault`)."""
    max_retry_after_s: Annotated[float, msgspec.Meta(ge=0)] = 300.0


class ClientSingle:
    """The part of an operation that does not depend on its fields."""

    max_items = 1

    def __init__(self, rules: Rules, clock: Clock, options: ClientSingleOptions) -> None:
        self.fields = rules.names
        self.required = rules.required
        self.max_body_bytes = options.max_body_bytes
        self._rules = rules
        self._canonical_ids = options.canonical_ids
        self._responses = ClientResponses(clock, options.max_retry_after_s)

    def encode(self, fields: Mapping[str, Any]) -> bytes | Invalid:
        """One object with at least one id."""
        item = self._rules.checked(fields)
        if isinstance(item, Invalid):
            return item
        fault = identifier_fault(item, self._canonical_ids)
        return to_json(item, self.max_body_bytes) if fault is None else fault

    def plain_item(self) -> PlainItem | None:
        return None if self._canonical_ids else PlainItem(self._rules, IDENTIFIERS, self.max_body_bytes)

    def body(self, items: Sequence[bytes]) -> bytes:
        """The one item is the body. Raises ValueError for any other number of them."""
        (item,) = items
        return item

    def headers(self, credential: str) -> dict[str, str]:
        return request_headers(credential)

    def classify(self, answer: Answer) -> Outcome:
        return self._responses.classify(answer)
