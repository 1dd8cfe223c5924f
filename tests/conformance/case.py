"""What a file of cases holds."""

from typing import Any, Literal, get_args

import msgspec

Api = Literal["user_analytics", "capture_analytics", "touchpoint_metrics", "event_api", "client_api"]
APIS: tuple[Api, ...] = get_args(Api)
Headers = dict[str, Any]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is known of an API."""

    basis: Literal["page", "server", "decided"]
    """The vendor's page, the vendor's server, or nobody but ourselves: a vendor is not held to the last."""
    says: str


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As it is sent, but for the placeholders in it."""

    method: Any
    path: str
    headers: Headers = {}
    query: dict[str, Any] = {}
    json: Any = msgspec.UNSET
    content: str | None = None
    """A body that is not JSON."""
    pad_to_bytes: int | None = None
    """Blanks behind the JSON make the body this long."""
    encoding: Literal["gzip"] | None = None


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As it must be: status, and the JSON, the text, or no body at all."""

    status: int
    json: Any = msgspec.UNSET
    text: str = ""


class Exchange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request and its answer."""

    request: Request
    answer: Answer


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One or several exchanges that show one row."""

    name: str
    row: str
    request: Request
    answer: Answer
    then: list[Exchange] = []
    each: list[dict[str, Any]] = []
    """The case once for each of these sets of placeholders; none: once."""
    vendor: Literal["exact", "shape", "never"] = "exact"
    """How a vendor's JSON is compared: shape means keys and types."""
    simulator: dict[str, Any] = {}
    """Only with a simulator that is configured so."""
    outage: dict[str, Any] | None = None
    """Only with a simulator that is made to fail so."""
    accepted: int | None = None
    """How many items the simulator's ledger then has."""
    harmed: dict[str, int] | None = None
    """What the simulator counts as harm although the answers say success."""

    @property
    def needs_a_simulator(self) -> bool:
        """Whether no vendor could be brought to show it."""
        return bool(self.simulator) or self.outage is not None or self.vendor == "never"


class CaseFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One API."""

    api: Api
    rows: dict[str, Row]
    cases: list[Case]
    parts: Any = None
    """Anchors, for the file's own use."""


class Variant(msgspec.Struct, frozen=True):
    """One case with one set of its placeholders."""

    api: Api
    row: Row
    case: Case
    placeholders: dict[str, Any]
    id: str
