"""How long a record takes from being produced to being acknowledged, at a rate that the consumer can keep."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import msgspec
from confluent_kafka import Producer

from bench.child import run
from bench.identity import stamped
from bench.receiver import Receiver
from bench.receiver.face import Latency
from bench.setting import Setting
from bench.sides import Ours
from bench.topic import empty, events, schema_id
from bench.workload import Workload
from consumer.clock import Clock, SystemClock
from consumer.errors import FaultError

_WARM_S = 3.0
_JOIN_S = 30.0
_SETTLED_S = 3.0
"""What has not arrived when nothing has for so long is withheld, or lost: the books say which."""
_EVERY_S = 0.002
_ASK_EVERY_S = 0.05
_LEAST_RATE = 0.95
"""A part of the rate that was asked for."""


@dataclass(frozen=True, slots=True)
class Paced:
    """A run at a steady rate."""

    per_second: float
    latency: Latency
    windowed: int

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "latency": msgspec.to_builtins(self.latency)}


def measure_latency(workload: Workload, per_second: float, seconds: float, setting: Setting) -> Paced:
    """Ours at this rate for so long, after some seconds more to warm up. Blocks.

    Raises FaultError if a record is lost, if the rate could not be produced, or the receiver keeps no time.
    """
    topic = empty(workload, setting)
    warm = 1 + int(per_second * _WARM_S)
    count = warm + int(per_second * seconds)
    made = [(one.key or b"", one.value or b"") for one in events(workload, count, schema_id(setting))]
    setting.receiver.behave(latency_ms=workload.latency_ms)
    setting.receiver.expect(count)
    side = Ours()
    pace = Pace(made, topic, per_second, setting.receiver, _producer(setting), SystemClock())
    cost = run(side.endless(workload, topic, setting), pace.look, every_s=_EVERY_S)
    setting.receiver.behave()
    tally = setting.receiver.report(warm, count)
    windowed = side.check(cost.output, tally, count, workload)
    if tally.latency is None:
        raise FaultError("this receiver keeps no time: latency needs the fast one")
    return Paced(pace.produced_per_second, tally.latency, windowed)


class Sink(Protocol):
    """The part of a Kafka producer that a pace needs; `stamped` values go in."""

    def produce(self, topic: str, value: bytes, key: bytes) -> None: ...

    def poll(self, timeout: float) -> int: ...

    def flush(self, timeout: float) -> int: ...


def _producer(setting: Setting) -> Producer:
    return Producer(
        {
            "bootstrap.servers": setting.broker.bootstrap_servers,
            "linger.ms": 1,
            "enable.idempotence": True,  # the order of a user is checked: no retry may change it
            "log_level": 2,
        }
    )


class Pace:
    """Produces at a steady rate, each record stamped with its moment, once the first one has arrived.

    Driven by calls of `look`: one thread, and nothing between the clock and the stamp.
    """

    def __init__(
        self,
        made: Sequence[tuple[bytes, bytes]],
        topic: str,
        per_second: float,
        receiver: Receiver,
        producer: Sink,
        clock: Clock,
    ) -> None:
        self._made, self._topic, self._per_second = made, topic, per_second
        self._receiver = receiver
        self._producer = producer
        self._clock = clock
        self._sent = 0
        self._started_s = 0.0
        self._ended_s = 0.0
        self._joining_s = clock.monotonic_s()
        self._asked_s = 0.0
        self._arrived = (0, 0.0)

    @property
    def produced_per_second(self) -> float:
        """As it really was."""
        return (self._sent - 1) / (self._ended_s - self._started_s)

    def look(self) -> bool:
        """Produce what is due; whether all is over. Raises FaultError where the rate could not be kept."""
        now_s = self._clock.monotonic_s()
        if not self._started_s:
            self._join(now_s)
        elif self._sent < len(self._made):
            self._produce(1 + int((now_s - self._started_s) * self._per_second))
            if self._sent == len(self._made):
                self._producer.flush(_JOIN_S)
                self._ended_s = now_s
                if self.produced_per_second < _LEAST_RATE * self._per_second:
                    raise FaultError(
                        f"only {self.produced_per_second:,.0f} of {self._per_second:,.0f} records/s were produced"
                    )
        return bool(self._ended_s) and self._settled(now_s)

    def _join(self, now_s: float) -> None:
        if not self._sent:
            self._produce(1)
            self._producer.flush(_JOIN_S)
        if self._count(now_s):
            self._started_s = now_s
        elif now_s > self._joining_s + _JOIN_S:
            raise FaultError(f"the consumer delivered nothing within {_JOIN_S:.0f} s")

    def _produce(self, due: int) -> None:
        produce, topic = self._producer.produce, self._topic
        for key, value in self._made[self._sent : due]:
            produce(topic, stamped(value), key)
        self._sent = min(max(due, self._sent), len(self._made))
        self._producer.poll(0)

    def _settled(self, now_s: float) -> bool:
        count = self._count(now_s)
        return count == len(self._made) or now_s > self._arrived[1] + _SETTLED_S

    def _count(self, now_s: float) -> int:
        """How many arrived, asked for now and then."""
        if now_s > self._asked_s + _ASK_EVERY_S:
            self._asked_s = now_s
            count = self._receiver.counts().arrived
            if count != self._arrived[0]:
                self._arrived = (count, now_s)
        return self._arrived[0]
