"""What moves through the pipeline: an assignment, its records' work, and each record's deliveries."""

from collections import deque
from enum import IntEnum

from consumer.avro.undecodable import Undecodable
from consumer.core.ages import Ages
from consumer.core.horizon import Horizon
from consumer.core.lanes import Lane
from consumer.core.offsets import OffsetTracker
from consumer.core.pressure import Load
from consumer.endpoints.endpoint import Operation
from consumer.ledger.ledger import Intent, Wait
from consumer.pipeline.traces import ChunkTrace
from consumer.telemetry.spans import ProcessSpan
from consumer.types import FLAT_BYTES, Record, TopicPartition


class Phase(IntEnum):
    """An assignment's life. Anything but LIVE is true: the partition is leaving."""

    LIVE = 0
    DRAINING = 1
    ENDED = 2


class Parcel:
    """A chunk that waits for a schema, or for the end of a mass refusal."""

    __slots__ = ("fatal", "first", "judged", "records", "size_bytes")

    def __init__(self, first: int, records: list[Record]) -> None:
        self.first = first
        """The number of its first record."""
        self.records = records
        self.size_bytes = sum([record.size_bytes for record in records])
        self.judged = False
        """Its undecodable records were weighed: what ends the halt lets them pass."""
        self.fatal: dict[int, Undecodable] | None = None
        """Once it was rehearsed: the records with a value that it is not to be decoded with, by their index."""

    @property
    def data_bytes(self) -> int:
        """Of its keys and values."""
        return self.size_bytes - FLAT_BYTES * len(self.records)

    def divide(self, count: int) -> "tuple[Parcel, Parcel]":
        """Its first so many records, and the rest."""
        parts = Parcel(self.first, self.records[:count]), Parcel(self.first + count, self.records[count:])
        for part in parts:
            part.judged = self.judged
        return parts


class Assignment:
    """One partition for as long as this process has it."""

    __slots__ = (
        "abandoned",
        "ages",
        "backlog",
        "committed",
        "epoch",
        "horizon",
        "lane_prefix",
        "load",
        "partition",
        "phase",
        "read_to",
        "traced",
        "tracker",
    )

    def __init__(
        self,
        partition: TopicPartition,
        epoch: int,
        position: int,
        lane_prefix: int,
        load: Load | None = None,
        met_below: int = 0,
    ) -> None:
        """`load`: what counts its records against the bound; by default they count by themselves. `met_below`: the
        ledger's horizon, see `Horizon`."""
        self.horizon = Horizon(position, met_below)
        self.load = load or Load()
        self.partition = partition
        self.epoch = epoch
        self.tracker = OffsetTracker(position)
        self.ages = Ages()
        self.phase = Phase.LIVE
        self.committed = position
        """What the broker acknowledged last, or where reading began."""
        self.read_to = position
        """The offset after the last record that was polled, or that the client passed over at the end."""
        self.abandoned = 0
        self.lane_prefix = lane_prefix
        """Stands for (topic, partition) in lane keys, in every assignment of it."""
        self.backlog: deque[Parcel] = deque()
        """Chunks that are not decoded yet, in their order."""
        self.traced: list[ProcessSpan] = []
        """The spans of traced records that were settled since the last commit: it links to them."""

    @property
    def in_flight(self) -> int:
        """Records tracked that are neither settled nor abandoned."""
        return self.tracker.unsettled - self.abandoned

    def age_s(self, end: int | None, now_s: float) -> float | None:
        """The age of its oldest unsettled record; None where that was not read yet, or the end is not known."""
        if self.in_flight:
            return self.ages.age_s(self.tracker.oldest, int(now_s * 1000))
        return 0.0 if end is not None and self.tracker.committable >= end else None


class Work:
    """One record until all of its deliveries ended."""

    __slots__ = ("abandoned", "assignment", "number", "open", "record", "trace", "version")

    def __init__(self, record: Record, assignment: Assignment, number: int, version: str = "") -> None:
        self.record = record
        self.assignment = assignment
        self.number = number
        self.version = version
        """Of the topology that it was mapped by: another one may be loaded while it is in flight."""
        self.open = 0
        self.abandoned = False
        self.trace: ChunkTrace | None = None
        """Where its producer was sampled, or its chunk was chosen."""


class Delivery:
    """One record on its way to one destination by one route."""

    __slots__ = (
        "arrival",
        "attempts",
        "behind",
        "body",
        "in_doubt",
        "intent",
        "kind",
        "lane",
        "size_bytes",
        "token",
        "tries",
        "waits",
        "work",
    )

    lane: Lane["Delivery"]
    arrival: int

    def __init__(self, work: Work, kind: Operation, body: bytes, intent: Intent) -> None:
        self.work = work
        self.kind = kind
        self.body = body
        self.size_bytes = len(body) + 1
        self.intent = intent
        self.token = 0
        """The reservation's; 0 while it holds none."""
        self.attempts = 0
        self.tries = 0
        """How often it was refused for an unknown user."""
        self.waits = 0
        """How often it met another holder of its key or window."""
        self.behind: Wait | None = None
        """Whom it met the last time."""
        self.in_doubt = False
