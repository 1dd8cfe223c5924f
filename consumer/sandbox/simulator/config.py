"""What one simulator is told at its start; plain data, so that it can be sent to a process of its own."""

import msgspec

from consumer.sandbox.simulator.faults import FaultPlan
from consumer.sandbox.simulator.unknown_users import UnknownUsers
from consumer.sandbox.simulator.world import DOCUMENTED_PAIRS, Pair


class SimulatorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys, what the vendors have on record, and what goes wrong."""

    distinct_api_key: str
    client_api_key: str
    """Starts with pk_, as the Client API's public keys do."""
    host: str = "127.0.0.1"
    port: int = 0
    """0: any free one."""
    pairs: frozenset[Pair] = DOCUMENTED_PAIRS
    experiences: frozenset[str] | None = None
    """The valid experience ids; None: every id of the shape below."""
    experience_pattern: str = "[A-Za-z0-9_-]{1,64}"
    unknown_users: UnknownUsers = UnknownUsers()
    allowed_ips: frozenset[str] | None = None
    """Distinct's optional allow-list; None: every address."""
    client_time_key: str = "occurred_at"
    """Where in a Client API event's data the sender puts the event's time."""
    faults: FaultPlan = FaultPlan()
    keep_items: bool = True
    """Keep every accepted item for the ledger's list; else only counts and ids, for runs of many millions."""

    def __post_init__(self) -> None:
        if not self.client_api_key.startswith(("pk_", "sk_")):
            raise ValueError(
                "the simulator's client_api_key must start with pk_ (or sk_), as the real ones do"
            )
        if not self.distinct_api_key:
            raise ValueError("the simulator's distinct_api_key must not be empty")

    def __repr__(self) -> str:
        """Without the keys, which are secrets wherever the simulator stands in for a vendor."""
        return f"SimulatorConfig(host={self.host!r}, port={self.port})"
