"""What should move and does not, and what the books miss: found while the process runs, and named."""

import logging
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import msgspec

from consumer.clock import Clock
from consumer.core.audit import Counts, Difference, audit
from consumer.core.standstill import Standstill
from consumer.pipeline.batch import Batch
from consumer.pipeline.coordinator import Coordinator
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.intake import Intake
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.sink import Sink
from consumer.pipeline.whereabouts import DeliveryLane, Stand, Whereabouts, found
from consumer.pipeline.work import Assignment
from consumer.types import Origin, TopicPartition

_LOG = logging.getLogger("consumer.watch")
REPORT = "nothing is lost or committed; restart the process and report this, with /status"


class WatchdogPolicy(msgspec.Struct, frozen=True):
    """`stuck_after_s`: how long a partition or a lane must stand without a reason; `stalled_after_s`: how long the
    event loop may be blocked. `look_every_s`: how often it is looked, and the books are held against each other.
    `commit_interval_s`: how long what is settled may wait for its commit anyway."""

    stuck_after_s: float = 120.0
    stalled_after_s: float = 5.0
    look_every_s: float = 5.0
    commit_interval_s: float = 1.0


class Stuck(msgspec.Struct, frozen=True):
    """One partition or lane that stands without a reason. `destination` is empty for a partition."""

    origin: Origin
    """The record that it stands at: it names a lane too, as its key may be a person's."""
    what: str
    next_step: str
    seconds: float
    destination: str = ""

    @property
    def where(self) -> str:
        """For people."""
        topic, partition, _ = self.origin
        lane = f"destination {self.destination}, lane of {self.origin}"
        return lane if self.destination else f"partition {TopicPartition(topic, partition)}"


class Watchdogs:
    """Looks every few seconds, on the event loop, between two turns: so all that it compares is of one moment. What
    goes well costs a walk over the lanes' lengths; only where a partition has not moved since the look before it is
    asked where its first record stands. Changes nothing, and ends nothing."""

    def __init__(
        self,
        policy: WatchdogPolicy,
        coordinator: Coordinator,
        intake: Intake,
        sinks: Mapping[str, Sink],
        graveyard: Graveyard,
        patient: PatientLedger,
        clock: Clock,
        longest_request_s: Callable[[], float],
    ) -> None:
        """`longest_request_s`: a request that is older than this has outlived its time-out."""
        self._policy = policy
        self._coordinator = coordinator
        self._intake = intake
        self._sinks = sinks
        self._graveyard = graveyard
        self._patient = patient
        self._clock = clock
        self._longest_request_s = longest_request_s
        self._looked_s = float("-inf")
        self._unfetched = Standstill[TopicPartition]()
        self._uncommitted = Standstill[TopicPartition]()
        self._unmoved = Standstill[TopicPartition]()
        self._unreasoned = Standstill[TopicPartition]()
        self._requests = Standstill[Batch]()
        self._lanes = Standstill[tuple[str, DeliveryLane]]()
        self._arrived: dict[Sink, int] = {}
        """What was there at the look before: only that can stand."""
        self.differences: list[Difference] = []
        self.partitions: list[Stuck] = []
        self.lanes: list[Stuck] = []

    def look(self) -> None:
        """See how things stand, if it is time to."""
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s < self._policy.look_every_s:
            return
        self._looked_s = now_s
        try:
            self._look(now_s)
        except Exception:  # What only looks on must never end the process that it looks at.
            _LOG.exception("the watchdogs could not look; the consumer goes on")

    def _look(self, now_s: float) -> None:
        self.differences = self._audit()
        live = {at: one for at, one in self._coordinator.assignments.items() if not one.phase}
        partitions = [*self._fetching(live, now_s), *self._committing(live, now_s)]
        marks = {at: (one.epoch, one.tracker.oldest) for at, one in live.items() if one.in_flight}
        standing = [at for at, seconds in self._unmoved.look(marks, now_s).items() if seconds > 0]
        wanted = {live[at]: live[at].tracker.oldest for at in standing}
        sinks = self._sinks.values() if standing else ()
        surveys = [Whereabouts(sink, wanted, now_s, self._arrived.get(sink, 0)) for sink in sinks]
        self._arrived = {sink: sink.lanes.last_arrival for sink in self._sinks.values()}
        overdue = self._overdue(surveys, now_s)
        partitions += self._settling({at: live[at] for at in standing}, surveys, overdue, now_s)
        self.partitions = sorted(partitions, key=lambda one: one.origin)
        self.lanes = self._stuck_lanes(surveys, overdue, now_s)

    @property
    def stuck(self) -> list[Stuck]:
        """Partitions, then lanes."""
        return [*self.partitions, *self.lanes]

    def as_json(self) -> dict[str, Any]:
        """What was found, for /status: positions, never a key."""
        return {
            "books": [
                {"where": one.where, "column": one.column, "missing": one.missing} for one in self.differences
            ],
            "stuck_partitions": [_shown(one) for one in self.partitions],
            "stuck_lanes": [{"destination": one.destination, **_shown(one)} for one in self.lanes],
        }

    def troubles(self) -> dict[str, str]:
        """What was found, by where: for the log and the status page."""
        out = {one.where: f"stuck at {one.origin}: {one.what}. Next: {one.next_step}" for one in self.stuck}
        if self.differences:
            shown = "; ".join(map(str, self.differences))
            out["books"] = (
                f"they do not balance: a record was lost or counted twice; please report this: {shown}"
            )
        return out

    # --- the books ---

    def _audit(self) -> list[Difference]:
        coordinator = self._coordinator
        counts = Counts(
            untaken=coordinator.untaken,
            pending=coordinator.pressure.by_topic(),
            in_flight=coordinator.in_flight_by_topic(),
            found={name: found(sink) for name, sink in self._sinks.items()},
        )
        return audit(coordinator.count(), counts)

    # --- partitions ---

    def _fetching(self, live: Mapping[TopicPartition, Assignment], now_s: float) -> list[Stuck]:
        """There is something to read, polling does not rest, and nothing comes."""
        ends, resting = self._coordinator.ends, self._coordinator.pressure.resting
        marks = {
            at: (one.epoch, one.read_to)
            for at, one in live.items()
            if at.topic not in resting and ends.get(at, 0) > one.read_to
        }
        what = "the client gives nothing from here on, though the partition goes on and polling does not rest"
        next_step = (
            "see the lines of consumer.kafka.client; a batch that the client cannot read (compression, size), an open "
            "transaction and brokers that do not answer look like this"
        )
        return self._stuck(
            self._unfetched, marks, {at: live[at].read_to for at in marks}, what, next_step, now_s
        )

    def _committing(self, live: Mapping[TopicPartition, Assignment], now_s: float) -> list[Stuck]:
        """Something is settled, and its commit does not come about."""
        marks = {
            at: (one.epoch, one.committed)
            for at, one in live.items()
            if one.tracker.committable > one.committed and self._patient.trouble is None
        }
        what = "what is settled from here on is not committed"
        next_step = "see whether the brokers answer: distinct_consumer_commits_total counts what failed"
        offsets, wait_s = {at: live[at].committed for at in marks}, self._policy.commit_interval_s
        found = self._stuck(self._uncommitted, marks, offsets, what, next_step, now_s)
        return [one for one in found if one.seconds >= self._policy.stuck_after_s + wait_s]

    def _settling(
        self,
        standing: Mapping[TopicPartition, Assignment],
        surveys: list[Whereabouts],
        overdue: set[Batch],
        now_s: float,
    ) -> list[Stuck]:
        """The first record that is not settled stays the same, and nothing known holds it up."""
        marks: dict[TopicPartition, Hashable] = {}
        places: dict[TopicPartition, str] = {}
        for at, one in standing.items():
            stands = [found for survey in surveys if (found := survey.oldest.get(one)) is not None]
            place, reason = self._first_of(one, surveys, overdue)
            if reason is None:
                # Behind one reservation after another it may wait for ever: while their holders are in trouble.
                behind = tuple(stand.behind for stand in stands)
                marks[at], places[at] = (one.epoch, one.tracker.oldest, behind), place
        return [
            Stuck(
                Origin(*at, standing[at].tracker.committable),
                f"the first unsettled record from here on does not move: {places[at]}",
                REPORT,
                seconds,
            )
            for at, seconds in self._unreasoned.look(marks, now_s).items()
            if seconds >= self._policy.stuck_after_s
        ]

    def _stuck(
        self,
        watched: Standstill[TopicPartition],
        marks: Mapping[TopicPartition, Hashable],
        offsets: Mapping[TopicPartition, int],
        what: str,
        next_step: str,
        now_s: float,
    ) -> list[Stuck]:
        return [
            Stuck(Origin(*at, offsets[at]), what, next_step, seconds)
            for at, seconds in watched.look(marks, now_s).items()
            if seconds >= self._policy.stuck_after_s
        ]

    # --- where something stands ---

    def _first_of(
        self, one: Assignment, surveys: list[Whereabouts], overdue: set[Batch]
    ) -> tuple[str, str | None]:
        """Where the first unsettled record of a partition stands, and a reason, if one of its deliveries has one."""
        places = []
        for survey in surveys:
            stand = survey.oldest.get(one)
            if stand is not None:
                if (reason := self._reason(stand, overdue)) is not None:
                    return stand.where, reason
                places.append(f"at {survey.sink.name}, {stand.where}")
        if places:
            return "; ".join(places), None
        if one.backlog and one.backlog[0].first <= one.tracker.oldest:
            return "it waits to be decoded", self._intake.halted
        if self._graveyard.busy_with({one}):
            return "it becomes a dead letter", self._graveyard.unwritable or "a letter is being written"
        return "in no place of the pipeline: it was dropped", None

    def _reason(self, stand: Stand, overdue: set[Batch]) -> str | None:
        if stand.batch in overdue:
            return self._patient.trouble or self._graveyard.unwritable
        return stand.reason

    def _overdue(self, surveys: list[Whereabouts], now_s: float) -> set[Batch]:
        """Requests that have outlived their time-out."""
        marks = {batch: batch.attempts for survey in surveys for batch in survey.sink.moving[0]}
        limit_s = self._longest_request_s()
        return {batch for batch, seconds in self._requests.look(marks, now_s).items() if seconds > limit_s}

    def _stuck_lanes(self, surveys: list[Whereabouts], overdue: set[Batch], now_s: float) -> list[Stuck]:
        stands: dict[tuple[str, DeliveryLane], Stand] = {}
        for survey in surveys:
            for lane, stand in survey.suspects.items():
                if self._reason(stand, overdue) is None:
                    stands[survey.sink.name, lane] = stand
        marks = {key: (stand.first, stand.behind) for key, stand in stands.items()}
        return [
            Stuck(
                first.intent.origin,
                f"the lane does not move: its first record is {stands[key].where}, {key[1].depth} in all",
                REPORT,
                seconds,
                key[0],
            )
            for key, seconds in self._lanes.look(marks, now_s).items()
            if seconds >= self._policy.stuck_after_s and (first := stands[key].first) is not None
        ]


def _shown(one: Stuck) -> dict[str, Any]:
    said = {"what": one.what, "next": one.next_step, "seconds": round(one.seconds, 1)}
    return {**one.origin._asdict(), **said}
