"""The topic that both sides read, filled once a workload."""

import time
from collections.abc import Callable, Iterator
from itertools import islice

from bench.setting import Setting
from bench.workload import MIX, PARTITIONS, SPACING_MS, Workload
from consumer.sandbox.generator import Emission, Plan, Stream, user_event_schema

SUBJECT = "user-events-value"
_SEED = 1
_LOT = 10_000
_THIN = 4
"""How many events are drawn for one that is wanted, where only some payloads are: more than are needed."""


def events(workload: Workload, count: int, schema_id: int) -> Iterator[Emission]:
    """Plain events of the workload, by seed: the same for every run of one length, but for the time."""
    drawn = count if workload.payloads is None else count * _THIN
    span_ms = drawn * SPACING_MS
    plan = Plan(drawn, _SEED, schema_id, int(time.time() * 1000) - span_ms, span_ms=span_ms, mix=MIX)
    wanted = workload.payloads
    stream = (one for one in Stream(plan, user_event_schema()) if wanted is None or one.payload in wanted)
    return islice(stream, count)


def fill(workload: Workload, count: int, setting: Setting, tell: Callable[[int], None]) -> str:
    """Make a topic, and its dead letters', and put `count` events on it; gives its name. Blocks."""
    broker = setting.broker
    topic = broker.topic(workload.name, partitions=PARTITIONS)
    broker.create(f"{topic}.dead-letters")
    stream = events(workload, count, setting.registry.register(SUBJECT, user_event_schema()))
    done = 0
    while lot := [(one.key, one.value) for one in islice(stream, _LOT)]:
        broker.produce(topic, lot)
        done += len(lot)
        tell(done)
    return topic
