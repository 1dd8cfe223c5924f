"""What a generator put on the topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consumer.sandbox.generator.kind import Kind


@dataclass(frozen=True, slots=True)
class Produced:
    """Counted from the broker's acknowledgements, not from what was handed to the client."""

    seed: int
    by_kind: Mapping[Kind, int]
    by_payload: Mapping[str, int]
    """Events by payload type, duplicates included; undecodable values and tombstones are none."""
    value_bytes: int
    seconds: float

    @property
    def total(self) -> int:
        """All records."""
        return sum(self.by_kind.values())

    @property
    def events(self) -> int:
        """Records whose value decodes to an event."""
        return sum(count for kind, count in self.by_kind.items() if kind.is_event)

    @property
    def duplicates(self) -> int:
        """Events whose id was sent before."""
        return self.by_kind.get(Kind.DUPLICATE, 0)

    @property
    def distinct_event_ids(self) -> int:
        """Events with an id of their own: all but the duplicates, each of which follows its original."""
        return self.events - self.duplicates

    @property
    def undecodable(self) -> int:
        """Records with a value that is no event."""
        return sum(count for kind, count in self.by_kind.items() if kind.is_undecodable)

    @property
    def tombstones(self) -> int:
        """Records without a value."""
        return self.by_kind.get(Kind.TOMBSTONE, 0)

    @property
    def records_per_second(self) -> int:
        """All records by the time it took."""
        return round(self.total / self.seconds) if self.seconds > 0 else 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON. The keys are stable."""
        return {
            "seed": self.seed,
            "total": self.total,
            "events": self.events,
            "distinct_event_ids": self.distinct_event_ids,
            "duplicates": self.duplicates,
            "undecodable": self.undecodable,
            "tombstones": self.tombstones,
            "by_kind": {kind.value: self.by_kind[kind] for kind in Kind if kind in self.by_kind},
            "by_payload": dict(sorted(self.by_payload.items())),
            "value_bytes": self.value_bytes,
            "seconds": round(self.seconds, 3),
            "records_per_second": self.records_per_second,
        }
