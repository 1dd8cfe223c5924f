"""Where a stream goes, and how fast."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from consumer.errors import UsageError

EMBEDDED_BACKLOG_BYTES = 2 * 1024 * 1024
"""What a partition of the embedded broker may hold unread: less than half of what it keeps."""


@dataclass(frozen=True, slots=True)
class Target:
    """A topic on a broker. Raises UsageError where the rate makes no sense."""

    bootstrap_servers: str
    topic: str
    properties: Mapping[str, str] = field(default_factory=dict)
    """librdkafka's options: security, addresses of other sorts; ours go above them."""
    rate: float | None = None
    """Records a second at most; as fast as it goes where there is none."""
    wait_for_group: str | None = None
    """The group that has to keep up: producing waits while `backlog_bytes` of a partition are unread."""
    backlog_bytes: int = EMBEDDED_BACKLOG_BYTES
    connect_timeout_s: float = 10.0
    stall_timeout_s: float = 300.0
    """How long the group may commit nothing while it is waited for."""

    def __post_init__(self) -> None:
        if self.rate is not None and self.rate <= 0:
            raise UsageError(f"the rate is {self.rate}: it must be above 0 records a second")
