"""As many different events as are wanted: some are made, and then told again with other ids and later times."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from confluent_kafka import Producer

from bench.identity import Identities
from bench.setting import Setting
from bench.topic import schema_id
from bench.workload import MIX, PARTITIONS, SPACING_MS, Workload
from consumer.errors import FaultError
from consumer.sandbox.generator import Plan, Stream, user_event_schema
from tests.integration.processes import wait_until

_SEED = 1
_MOST_MADE = 50_000
"""Making an event takes a hundred times as long as telling it again."""
_THIN = 4
"""How many events are drawn for one that is wanted, where only some payloads are: more than are needed."""
_TELL_EVERY = 1_000_000
_APART_MS = 6 * 3_600_000
"""Many windows."""
_ID = slice(6, 42)
"""Where the id lies in a value: behind the registry's frame and its own length, as the first field."""
_LENGTH_AT = 5
_LENGTH = 36 << 1
_TIME_AT = 42
"""Where the time begins: the second field, a long."""
_SERIES = slice(25, 36)
"""Where an id has the moment at which it was made, which no one asks for here."""


class Topics:
    """Topics filled with events, none of which has an id that another one has."""

    def __init__(self, setting: Setting, tell: Callable[[str], None]) -> None:
        self._setting = setting
        self._tell = tell
        self._filled = 0

    def filled(
        self, workload: Workload, records: int, *, partitions: int = PARTITIONS, users: int | None = None
    ) -> str:
        """A new topic with so many events, of so many users; gives its name. Blocks."""
        broker, self._filled = self._setting.broker, self._filled + 1
        topic = broker.topic(workload.name, partitions=partitions)
        broker.create(f"{topic}.dead-letters")
        if records:
            self._fill(
                topic, events(workload, records, schema_id(self._setting), users, self._filled), records
            )
            wait_until(lambda: sum(broker.end_offsets(topic).values()) == records, 60.0)
        return topic

    def _fill(self, topic: str, stream: Iterator[tuple[bytes, bytes]], records: int) -> None:
        producer = Producer(
            {
                "bootstrap.servers": self._setting.broker.bootstrap_servers,
                # A batch that is sent again, as to a partition that has no leader yet, must not overtake another one.
                "enable.idempotence": True,
                "linger.ms": 50,
                "batch.size": 1_000_000,
                "queue.buffering.max.messages": 200_000,
                "log_level": 2,
            }
        )
        for number, (key, value) in enumerate(stream, 1):
            while True:
                try:
                    producer.produce(topic, value, key)
                    break
                except BufferError:
                    producer.poll(0.1)
            if number % _TELL_EVERY == 0:
                self._tell(f"{number:,} of {records:,} on the topic")
        if producer.flush(120.0):
            raise FaultError("the broker did not take all events")


def events(
    workload: Workload, records: int, schema: int, users: int | None, series: int
) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values, by seed: the same for every run, but for the time. `series`: other ids and other times for
    another topic, or its opens would fall into the windows that the one before took in a ledger that both have.

    As the receiver wants them, an id says which record it is, whose, and the user's how many-th.
    """
    identities, marked = Identities(), b"%011x" % series
    if workload.time_ordered:  # those of another topic are of another time
        identities = Identities(int(time.time() * 1000))
    most = max(_MOST_MADE, users or 0)
    made = list(_made(workload, min(records, most), records, schema, users))
    span_ms, earlier_ms = len(made) * SPACING_MS, series * _APART_MS
    for number in range(records):
        again, index = divmod(number, len(made))
        key, value, at_ms, end = made[index]
        told = identities.next(key)
        if not workload.time_ordered:
            told = told[: _SERIES.start] + marked
        yield key, value[: _ID.start] + told + _long(at_ms + again * span_ms - earlier_ms) + value[end:]


def _made(
    workload: Workload, count: int, records: int, schema: int, users: int | None
) -> Iterator[tuple[bytes, bytes, int, int]]:
    """The events that are told again: key, value, time, and where the time ends."""
    wanted = workload.payloads
    drawn = count if wanted is None else count * _THIN
    mix = MIX if users is None else replace(MIX, users=users, skew=0.0)
    start_ms = int(time.time() * 1000) - records * SPACING_MS
    plan = Plan(drawn, _SEED, schema, start_ms, span_ms=count * SPACING_MS, mix=mix)
    taken = 0
    for one in Stream(plan, user_event_schema()):
        if taken == count:
            return
        if wanted is not None and one.payload not in wanted:
            continue
        if one.key is None or one.value is None or one.value[_LENGTH_AT] != _LENGTH:
            raise FaultError(f"{one.kind} is no event with a key and an id of 36 characters")
        taken += 1
        yield one.key, one.value, *_time_in(one.value)


def _time_in(value: bytes) -> tuple[int, int]:
    """The event's time, and where it ends: Avro's long, seven bits a byte, signs alternating."""
    bits, shift, at = 0, 0, _TIME_AT
    while True:
        bits |= (value[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if value[at - 1] < 0x80:
            return bits >> 1 ^ -(bits & 1), at


def _long(number: int) -> bytes:
    bits, out = number << 1, bytearray()
    while bits > 0x7F:
        out.append(bits & 0x7F | 0x80)
        bits >>= 7
    out.append(bits)
    return bytes(out)
