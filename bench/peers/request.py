"""What a peer's program in Python is told: one object of JSON, its only argument. The standard library alone."""

import json
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """One run."""

    bootstrap_servers: str
    group: str
    topic: str
    records: int
    registry: str
    url: str
    headers: dict[str, str]
    acknowledged: int
    """The only status that is an acknowledgement."""
    items: int
    in_flight: int

    @classmethod
    def from_arguments(cls) -> "Request":
        """As it stands on the command line."""
        return cls(**json.loads(sys.argv[1]))

    def accept(self, status: int) -> None:
        """Raises RuntimeError for an answer that is no acknowledgement."""
        if status != self.acknowledged:
            raise RuntimeError(f"the receiver answered {status}")
