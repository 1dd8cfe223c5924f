"""What one simulator is told at its start; plain data, so that it can be sent to a process of its own."""

import msgspec

from consumer.sandbox.simulator.faults import FaultPlan
from consumer.sandbox.simulator.touchpoint import DOCUMENTED_TOUCHPOINTS, Touchpoint
from consumer.sandbox.simulator.unknown_users import UnknownUsers
from consumer.sandbox.simulator.world import DOCUMENTED_PAIRS, UNKNOWN_EXPERIENCE_PREFIX, Pair


class SimulatorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys, what the vendors have on record, and what goes wrong."""

    distinct_api_key: str
    """The shared key: User Analytics and Capture Analytics."""
    client_api_key: str
    """Starts with pk_, as the Client API's public keys do."""
    distinct_admin_api_key: str = "distinct-admin-sandbox-key"
    """The admin key: Touchpoint Scanner Metrics."""
    event_api_key: str = "event-sandbox-key"
    host: str = "127.0.0.1"
    port: int = 0
    """0: any free one."""
    pairs: frozenset[Pair] = DOCUMENTED_PAIRS
    experiences: frozenset[str] | None = None
    """The valid experience ids; None: every id of the shape below, and for the metrics those with touchpoints."""
    experience_values: frozenset[str] | None = None
    """The valid values in the path of Capture Analytics, which are other names; None: by the same shape."""
    experience_pattern: str = "[A-Za-z0-9_-]{1,64}"
    unknown_experience_prefix: str = UNKNOWN_EXPERIENCE_PREFIX
    users: frozenset[str] | None = None
    """The userIds, emails and phones that are registered; None: all but those of the rule below."""
    unknown_users: UnknownUsers = UnknownUsers()
    touchpoints: tuple[Touchpoint, ...] = DOCUMENTED_TOUCHPOINTS
    experience_pages: bool = True
    """Whether pageSize and offset apply to EXPERIENCE metrics: the page's example says so, its note denies it."""
    allowed_ips: frozenset[str] | None = None
    """The optional allow-list of Distinct's three APIs; None: every address."""
    event_open_names: frozenset[str] = frozenset({"open", "emailOpen", "email_open"})
    """Under which names of an event the event/ API sees an email open; its page does not say it."""
    client_time_key: str = "occurred_at"
    """Where in a Client API event's data the sender puts the event's time."""
    faults: FaultPlan = FaultPlan()
    keep: int | None = None
    """How many items, ids and orders each API remembers; None: all, until they fill the memory."""
    keep_items: bool = True
    """Keep every accepted item for the ledger's list; else only counts and ids, for runs of many millions."""

    def __post_init__(self) -> None:
        if not self.client_api_key.startswith(("pk_", "sk_")):
            raise ValueError(
                "the simulator's client_api_key must start with pk_ (or sk_), as the real ones do"
            )
        for name in ("distinct_api_key", "distinct_admin_api_key", "event_api_key"):
            if not getattr(self, name):
                raise ValueError(f"the simulator's {name} must not be empty")
        if self.keep is not None and self.keep < 1:
            raise ValueError("the simulator's keep must be at least 1: leave it out to keep all")
        if self.distinct_admin_api_key == self.distinct_api_key:
            raise ValueError("the simulator's distinct_admin_api_key must not be the shared distinct_api_key")

    def __repr__(self) -> str:
        """Without the keys, which are secrets wherever the simulator stands in for a vendor."""
        return f"SimulatorConfig(host={self.host!r}, port={self.port})"
