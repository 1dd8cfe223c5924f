"""What the pipeline says of itself: the /status document, and the two health answers."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from consumer.core.gate import Gate
from consumer.kafka.owner import Owner
from consumer.pipeline.commits import Committer
from consumer.pipeline.coordinator import Coordinator
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.intake import Intake
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.send import Post
from consumer.pipeline.sink import Sink
from consumer.pipeline.stalls import Stalls
from consumer.pipeline.watch import POLLING, View, Watch
from consumer.pipeline.watchdogs import Watchdogs
from consumer.pipeline.whereabouts import first_of
from consumer.pipeline.work import Assignment, Delivery
from consumer.telemetry.snapshot import DestinationState, PartitionLag, Snapshot


class Status:
    """Reads; changes nothing. Implements the admin port's `StatusSource`."""

    def __init__(
        self,
        coordinator: Coordinator,
        owner: Owner,
        intake: Intake,
        sinks: Mapping[str, Sink],
        posts: Mapping[str, Post],
        graveyard: Graveyard,
        patient: PatientLedger,
        committer: Committer,
        watch: Watch,
        watchdogs: Watchdogs,
        stalls: Stalls,
        topology_version: str,
        stalled_after_s: float,
        answers: Callable[[], Any],
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """`answers` asks the ledger something cheap: an awaitable that raises where it cannot answer."""
        self._coordinator = coordinator
        self._owner = owner
        self._intake = intake
        self._sinks = sinks
        self._posts = posts
        self._committer = committer
        self._watch = watch
        self._watchdogs = watchdogs
        self._stalls = stalls
        self._graveyard = graveyard
        self._patient = patient
        self.topology_version = topology_version
        self._stalled_after_s = stalled_after_s
        self._answers = answers
        self._wall_s = wall_s
        self._started_s = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started_s

    def status(self) -> dict[str, Any]:
        """The whole document: the books first, in the words that every command shares."""
        out = self._coordinator.count().as_json(self.seconds)
        for name, sink in self._sinks.items():
            out["destinations"][name] |= _state(sink)
        pressure = self._coordinator.pressure
        return {
            **out,
            "topology_version": self.topology_version,
            "troubles": [
                {"what": name, "reason": reason, "seconds": seconds}
                for name, reason, seconds in self._watch.standing()
            ],
            "pending": {
                "records": pressure.records,
                "bytes": pressure.bytes,
                "max_records": pressure.policy.max_pending,
                "max_bytes": pressure.policy.max_pending_bytes,
                "paused": bool(pressure.resting),
                "resting_topics": sorted(pressure.resting),
            },
            "held_by": self._held_by(),
            "hottest_partition": self._hottest_partition(),
            "watch": {
                **self._watchdogs.as_json(),
                "stalled": [one._asdict() for one in self._stalls.standing()],
                "stalls": self._stalls.counts,
            },
            "decoding": {
                "state": "halted" if self._intake.halted else "running",
                "reason": self._intake.halted,
            },
            "dead_letters": {
                "unwritable": self._graveyard.unwritable,
                "reasons": [
                    {"destination": destination, "reason": reason, "count": count}
                    for (destination, reason), count in sorted(self._graveyard.reasons.items())
                ],
            },
            "ledger": {"trouble": self._patient.trouble, "alarms": self._coordinator.ledger_alarms},
            "partitions": self._partitions(),
        }

    def snapshot(self) -> Snapshot:
        """The same for the metrics. Called in the event loop's thread at each scrape."""
        coordinator, watchdogs = self._coordinator, self._watchdogs
        pressure = coordinator.pressure
        stuck = {one.origin[:2] for one in watchdogs.partitions}
        return Snapshot(
            books=coordinator.count(),
            destinations={name: self._destination(name, sink) for name, sink in self._sinks.items()},
            partitions=[
                PartitionLag(
                    partition=partition,
                    lag_records=_lag(coordinator.ends.get(partition), one),
                    lag_s=one.age_s(coordinator.ends.get(partition), self._wall_s()),
                    unsettled=one.in_flight,
                    stuck=partition in stuck,
                )
                for partition, one in coordinator.assignments.items()
            ],
            pending_records=pressure.records,
            pending_bytes=pressure.bytes,
            max_pending_records=pressure.policy.max_pending,
            max_pending_bytes=pressure.policy.max_pending_bytes,
            resting_topics=pressure.resting,
            decoding_halted=self._intake.halted is not None,
            ledger_answers=self._patient.trouble is None,
            ledger_alarms=coordinator.ledger_alarms,
            rebalances=coordinator.rebalances,
            commits_ok=self._committer.done,
            commits_failed=sum(self._committer.failures.values()),
            dead_letters=self._graveyard.reasons,
            dead_letters_unwritable=self._graveyard.unwritable is not None,
            topology_version=self.topology_version,
            differences=[one.missing for one in watchdogs.differences],
            stuck_lanes=Counter(one.destination for one in watchdogs.lanes),
            stalls=self._stalls.counts,
            stalled={one.what for one in self._stalls.standing()},
        )

    def view(self) -> View:
        """The same for the log. Cheap enough to be asked a few times a second."""
        coordinator = self._coordinator
        books = coordinator.count()
        lags = [_lag(coordinator.ends.get(at), one) for at, one in coordinator.assignments.items()]
        known = [lag for lag in lags if lag is not None]
        return View(
            joined=coordinator.joined,
            partitions=frozenset(coordinator.assignments),
            troubles=self._troubles(),
            consumed=books.consumed,
            settled=books.settled,
            in_flight=books.in_flight,
            lag=sum(known) if known else None,
        )

    def _troubles(self) -> dict[str, str]:
        out = self._watchdogs.troubles()
        for name, sink in self._sinks.items():
            if (reason := sink.gate.halted) is not None:
                out[f"destination {name}"] = f"halted: {reason}; nothing is lost, it is tried again by itself"
        if self._intake.halted is not None:
            out["decoding"] = f"halted: {self._intake.halted}"
        if self._graveyard.unwritable is not None:
            out["dead letters"] = f"can't be written, and are tried again: {self._graveyard.unwritable}"
        if self._patient.trouble is not None:
            out["ledger"] = f"does not answer, so nothing is sent or committed: {self._patient.trouble}"
        if resting := self._coordinator.pressure.resting:
            fullest = max(self._sinks.values(), key=lambda sink: sink.in_flight)
            what = ", ".join(sorted(resting))
            out[POLLING] = (
                f"paused at the bound of unsettled records ({what}); most of them wait for {fullest.name}"
            )
        return out

    def _destination(self, name: str, sink: Sink) -> DestinationState:
        post = self._posts[name]
        return DestinationState(
            halted=sink.gate.halted is not None,
            paused=sink.paused,
            requests_in_flight=sink.gate.in_flight,
            concurrency_limit=sink.gate.limit,
            throttled=post.throttled,
            unclear=post.unclear,
        )

    def _held_by(self) -> list[dict[str, Any]]:
        """Who fills the bound: the destinations by what stands in them, and the longest lane of each."""
        out = []
        for name, sink in sorted(self._sinks.items(), key=lambda pair: -pair[1].in_flight):
            fullest = sink.lanes.fullest()
            first = first_of(sink, fullest) if fullest else None
            out.append(
                {
                    "destination": name,
                    "in_flight": sink.in_flight,
                    "longest_lane": fullest.depth if fullest else 0,
                    # By its first record, not by its key: that may be a person's.
                    "lane": _record_of(first, self._wall_s()) if first else None,
                }
            )
        return out

    def _hottest_partition(self) -> dict[str, Any] | None:
        """The partition that has most of what counts against the bound."""
        assignments = self._coordinator.assignments
        at = max(assignments, key=lambda one: assignments[one].in_flight, default=None)
        if at is None or not assignments[at].in_flight:
            return None
        return {**at._asdict(), "unsettled": assignments[at].in_flight}

    def _partitions(self) -> list[dict[str, Any]]:
        return [
            {
                "topic": partition.topic,
                "partition": partition.partition,
                "committed": one.committed,
                "committable": one.tracker.committable,
                "unsettled": one.in_flight,
                "end": self._coordinator.ends.get(partition),
                "lag": _lag(self._coordinator.ends.get(partition), one),
            }
            for partition, one in sorted(self._coordinator.assignments.items())
        ]

    def live(self) -> tuple[bool, str]:
        """Whether the owner thread turns; that this is answered shows that the event loop does."""
        idle_s = time.monotonic() - self._owner.turned_at_s
        if idle_s > self._stalled_after_s:
            return False, f"the Kafka thread has not turned for {idle_s:.0f} s"
        return True, "ok"

    async def ready(self) -> tuple[bool, str]:
        """Joined the group (an empty assignment counts) and the ledger answers."""
        if not self._coordinator.joined:
            return False, "has not joined the group yet"
        try:
            await self._answers()
        except Exception as error:
            return False, f"the ledger does not answer: {error}"
        return True, "ok"


def _record_of(one: Delivery, now_s: float) -> dict[str, Any]:
    record = one.work.record
    age_s = round(max(0.0, now_s - record.timestamp_ms / 1000), 1) if record.timestamp_ms > 0 else None
    return {**record.origin._asdict(), "age_s": age_s}


def _lag(end: int | None, assignment: Assignment) -> int | None:
    return None if end is None else max(0, end - assignment.committed)


def _state(sink: Sink) -> dict[str, Any]:
    gate: Gate = sink.gate
    now_s = time.monotonic()
    if sink.paused:
        state, reason = "paused", "by the topology"
    elif gate.halted is not None:
        state, reason = "halted", gate.halted
    elif gate.closed(now_s):
        state, reason = "throttled", "the receiver asked for less, or the rate is used up"
    else:
        state, reason = "running", ""
    return {
        "state": state,
        "reason": reason,
        "requests_in_flight": gate.in_flight,
        "limit": gate.limit,
        "limit_reason": gate.why_limit(now_s),
    }
