"""Produces a plan's stream to its target."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException, Producer

from consumer.errors import BrokerError, FaultError
from consumer.kafka.first_answer import FirstAnswer
from consumer.sandbox.generator.backlog import Backlog
from consumer.sandbox.generator.complaint import properties_checked, reason
from consumer.sandbox.generator.plan import Plan
from consumer.sandbox.generator.positions import CommittedPositions
from consumer.sandbox.generator.produced import Produced
from consumer.sandbox.generator.stream import Stream
from consumer.sandbox.generator.subject import user_event_schema
from consumer.sandbox.generator.tally import Tally
from consumer.sandbox.generator.target import Target

_LOG = logging.getLogger(__name__)
_FLUSH_SLICE_S = 0.5
_WAIT_SLICE_S = 0.02
_LOT = 100
"""After how many records acknowledgements are looked at."""

Progress = Callable[[int], None]
"""Told now and then how many records are acknowledged; must not block for long."""


def generate(
    plan: Plan,
    target: Target,
    *,
    progress: Progress = lambda acknowledged: None,
    stop: Callable[[], bool] = lambda: False,
) -> Produced:
    """Produce the whole stream, or until `stop` says so; on return all that was handed over is acknowledged.

    Blocks all the time: run it in a thread, or use `generate_in_child`. Raises BrokerError where the broker
    can't be reached or does not acknowledge, FaultError where the group that is waited for stands still, and
    UsageError where librdkafka does not know a property.
    """
    try:
        with _Run(plan, target, progress, stop).connected() as run:
            return run.produce()
    except KafkaException as error:  # one that the client does not get over, such as no permission to write
        raise BrokerError(f"{target.topic} can't be produced to: {reason(error)}") from error


class _Run:
    def __init__(self, plan: Plan, target: Target, progress: Progress, stop: Callable[[], bool]) -> None:
        self._plan = plan
        self._target = target
        self._progress = progress
        self._stop = stop
        self._first = FirstAnswer(target.bootstrap_servers, target.properties)
        self._backlog: Backlog | None = None
        with properties_checked():
            self._producer = Producer(self._config(), logger=_LOG)

    @contextmanager
    def connected(self) -> Iterator["_Run"]:
        """Find the broker and the topic before anything is made for them."""
        target = self._target
        metadata = self._first.topics(self._producer, target.connect_timeout_s, target.topic)
        found = metadata.topics[target.topic]
        if found.error is not None and found.error.code() != KafkaError.LEADER_NOT_AVAILABLE:
            raise BrokerError(
                f"the topic {target.topic} can't be produced to: {found.error.str()}; "
                "create it, or name a number of partitions"
            )
        if target.wait_for_group is None:
            yield self
            return
        positions = CommittedPositions(
            target.bootstrap_servers,
            target.topic,
            len(found.partitions),
            target.wait_for_group,
            target.properties,
        )
        self._backlog = Backlog(target.backlog_bytes, positions)
        try:
            yield self
        finally:
            positions.close()

    def produce(self) -> Produced:
        tally = Tally(self._backlog)
        started_s = time.monotonic()
        for count, emission in enumerate(Stream(self._plan, user_event_schema()), start=1):
            on_delivery = tally.report(emission.kind, emission.payload)
            while True:
                try:
                    self._producer.produce(
                        self._target.topic,
                        value=emission.value,
                        key=emission.key,
                        headers=emission.headers,
                        timestamp=emission.timestamp_ms,
                        on_delivery=on_delivery,
                    )
                    break
                except BufferError:
                    self._producer.poll(_WAIT_SLICE_S)
            if count % _LOT == 0 or self._target.rate is not None:
                self._between(count, started_s, tally)
                if self._stop() or tally.failed:
                    break
        self._flush(tally)
        self._progress(tally.acknowledged)
        return tally.produced(self._plan.seed, time.monotonic() - started_s)

    def _between(self, count: int, started_s: float, tally: Tally) -> None:
        self._producer.poll(0)
        if count % _LOT == 0:
            self._progress(tally.acknowledged)
        if self._backlog is not None and self._backlog.full:
            self._wait_for_the_group(self._backlog)
        if self._target.rate is not None:
            due_s = started_s + count / self._target.rate
            while (ahead_s := due_s - time.monotonic()) > 0 and not self._stop():
                # It returns early when acknowledgements come, hence the loop.
                self._producer.poll(min(ahead_s, _FLUSH_SLICE_S))

    def _wait_for_the_group(self, backlog: Backlog) -> None:
        read_at_s = time.monotonic()
        while backlog.full and not self._stop():
            if backlog.refresh():
                read_at_s = time.monotonic()
            elif time.monotonic() - read_at_s > self._target.stall_timeout_s:
                raise FaultError(
                    f"the group {self._target.wait_for_group} committed nothing on {self._target.topic} for "
                    f"{self._target.stall_timeout_s:g} s, and the broker has no room for more: is it running?"
                )
            self._producer.poll(_WAIT_SLICE_S)

    def _flush(self, tally: Tally) -> None:
        # message.timeout.ms bounds this: after it, what is left is reported as failed.
        while not tally.failed and self._producer.flush(_FLUSH_SLICE_S):
            self._progress(tally.acknowledged)
        if tally.first_error is not None:
            self._producer.purge()
            self._producer.flush(_FLUSH_SLICE_S)
            raise BrokerError(
                f"{self._target.topic} did not acknowledge a record ({tally.first_error.str()}); "
                f"{tally.acknowledged} others are on the topic"
            )

    def _config(self) -> dict[str, object]:
        target = self._target
        config: dict[str, object] = {
            "client.id": "distinct-consumer-generator",
            "linger.ms": 10,
            "compression.type": "lz4",
            **target.properties,
            "bootstrap.servers": target.bootstrap_servers,
            # As Java's producers place keys, so that one user is on one partition whoever produces.
            "partitioner": "murmur2_random",
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": 60_000,
            "error_cb": self._first.on_error,
        }
        if target.wait_for_group is not None:
            # What is on its way comes on top of what is unread.
            config["queue.buffering.max.kbytes"] = 1024
        return config
