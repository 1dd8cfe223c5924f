"""What a stream is to hold: the same plan gives the same records, byte for byte."""

from dataclasses import dataclass, field

from consumer.errors import UsageError
from consumer.sandbox.generator.mix import Mix

SPAN_MS = 6 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """How many records, of what, by which seed, and when. Raises UsageError where that makes no sense."""

    count: int
    seed: int
    schema_id: int
    start_ms: int
    """When the first record is sent: milliseconds since 1970 on the stream's own clock, not the machine's."""
    span_ms: int = SPAN_MS
    """How long the stream takes on its own clock: long enough for an open to be repeated after its window."""
    mix: Mix = field(default_factory=Mix)

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError(f"count is {self.count}: at least 1 record must be generated")
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}: it must not be negative")
        if self.span_ms < 1 or self.start_ms < 0:
            raise UsageError("the stream must start after 1970 and take some time")

    @classmethod
    def ending_at(
        cls, end_ms: int, *, count: int, seed: int, schema_id: int, mix: Mix | None = None
    ) -> "Plan":
        """A stream whose last record is as of `end_ms`.

        Now is the best end: brokers refuse what is ahead of their clock, and soon delete what is
        older than the retention.
        """
        return cls(
            count=count, seed=seed, schema_id=schema_id, start_ms=max(0, end_ms - SPAN_MS), mix=mix or Mix()
        )

    def at_ms(self, index: int) -> int:
        """When record `index` is sent, on the stream's own clock."""
        return self.start_ms + index * self.span_ms // self.count
