"""The topic that all sides read, filled once a workload."""

import time
from collections.abc import Callable, Iterator
from itertools import islice

from bench.identity import identified
from bench.setting import Setting
from bench.workload import MIX, PARTITIONS, SPACING_MS, Workload
from consumer.sandbox.generator import Emission, Plan, Stream, user_event_schema

SUBJECT = "user-events-value"
_SEED = 1
_LOT = 10_000
_THIN = 4
"""How many events are drawn for one that is wanted, where only some payloads are: more than are needed."""


def events(workload: Workload, count: int, schema_id: int) -> Iterator[Emission]:
    """Plain events of the workload, by seed: the same for every run of one length, but for the time.

    Their ids tell the receiver whose and how many-th each is.
    """
    drawn = count if workload.payloads is None else count * _THIN
    span_ms = drawn * SPACING_MS
    plan = Plan(drawn, _SEED, schema_id, int(time.time() * 1000) - span_ms, span_ms=span_ms, mix=MIX)
    wanted = workload.payloads
    stream = (one for one in Stream(plan, user_event_schema()) if wanted is None or one.payload in wanted)
    return identified(islice(stream, count))


def schema_id(setting: Setting) -> int:
    """That of the events' schema at the registry."""
    return setting.registry.register(SUBJECT, user_event_schema())


def empty(workload: Workload, setting: Setting) -> str:
    """Make a topic, and its dead letters'; gives its name. Blocks."""
    topic = setting.broker.topic(workload.name, partitions=PARTITIONS)
    setting.broker.create(f"{topic}.dead-letters")
    return topic


class Topics:
    """Topics filled with events, each made when it is first asked for."""

    def __init__(self, setting: Setting, tell: Callable[[str], None]) -> None:
        self._setting = setting
        self._tell = tell
        self._names: dict[tuple[frozenset[str] | None, int], str] = {}

    def filled(self, workload: Workload, count: int) -> str:
        """The topic with so many of the workload's events; workloads of the same events share it. Blocks."""
        place = (workload.payloads, count)
        if place not in self._names:
            topic = empty(workload, self._setting)
            stream = events(workload, count, schema_id(self._setting)) if count else iter(())
            done = 0
            while lot := [(one.key, one.value) for one in islice(stream, _LOT)]:
                self._setting.broker.produce(topic, lot)
                done += len(lot)
            self._tell(f"{workload.name}: {done:,} records on the topic")
            self._names[place] = topic
        return self._names[place]
