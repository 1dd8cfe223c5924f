"""One run of the consumer through a course: the receiver changes on the way, and is asked what arrived."""

import re
import time
from dataclasses import replace
from pathlib import Path

from msgspec.structs import replace as replaced

from bench.long.course import SERVICE_S, Course, Leg
from bench.long.delivery import Case, check, new_ledger, start
from bench.long.rounds import Ground
from bench.long.settled import Sample
from bench.workload import SINGLES, write_topology
from consumer.errors import FaultError
from tests.integration.processes import ConsumerProcess, wait_until

_LOOK_S = 0.1
_STATUS_S = 0.5
"""How often the consumer itself is asked: that costs it more than it costs the receiver."""
_JOIN_S = 60.0
_ENDS_S = 120.0
_ALL_WAIT = 10_000
"""A queue in which there is room for all that can be in flight."""
_CONCURRENCY = re.compile(r"(?m)^( +)(concurrency: \d+)$")


def pass_through(course: Course, most: int, adaptive: bool, ground: Ground) -> list[Sample]:
    """Run it with at most so many requests at a time, or always as many; then to its end, at full capacity. Blocks.

    Gives what was seen, in seconds from the begin of the first leg. Raises FaultError if a record is missing,
    repeated or out of its user's order at the end.
    """
    setting = ground.setting
    receiver, records = setting.receiver, course.records
    topic = ground.topics.filled(SINGLES, records)
    workload = replace(SINGLES, in_flight=most)
    own = write_topology(workload, topic, setting.folder)
    topology = own if adaptive else fixed(own)
    case = Case(course.name, workload, topic, records, new_ledger(setting), topology)
    receiver.expect(records)
    _behave(course, course.legs[0].begin, ground)
    consumer = start(case, ["--until-end", "--output", "json"], setting)
    samples: list[Sample] = []
    try:
        wait_until(
            lambda: not consumer.running or receiver.counts().requests > 0, _JOIN_S, lambda: consumer.tail()
        )
        began_s = time.monotonic()
        leg_s = 0.0
        for leg in course.legs:
            _take(leg, leg_s, began_s, course, consumer, ground, samples)
            leg_s += leg.seconds
        receiver.behave()
        if consumer.wait(_ENDS_S) != 0:
            raise FaultError(f"{course.name}: {consumer}{consumer.tail()}")
        # What was refused came again: that is what the course is about.
        check(case, consumer.books, replaced(receiver.report(), overloaded=0))
    finally:
        receiver.behave()
        consumer.close()
    return samples


def fixed(topology: Path) -> Path:
    """The same topology with its limit fixed; gives its folder."""
    target = topology.with_name(f"{topology.name}-fixed")
    target.mkdir(exist_ok=True)
    for file in topology.glob("*.yaml"):
        (target / file.name).write_text(_CONCURRENCY.sub(r"\1\2\n\1adaptive: false", file.read_text()))
    return target


def _take(
    leg: Leg,
    leg_s: float,
    began_s: float,
    course: Course,
    consumer: ConsumerProcess,
    ground: Ground,
    samples: list[Sample],
) -> None:
    """One leg, which begins so long after the course."""
    capacity, limit, asked_s = None, 0, float("-inf")
    while (at_s := time.monotonic() - began_s) < leg_s + leg.seconds:
        if capacity != (now := leg.capacity(at_s - leg_s)):
            capacity = now
            _behave(course, capacity, ground)
        if at_s > asked_s + _STATUS_S:
            status = consumer.status()
            if status is None:
                raise FaultError(f"{course.name}: the consumer ended, or does not answer{consumer.tail()}")
            limit, asked_s = status["destinations"][SINGLES.destination]["limit"], at_s
        tally = ground.setting.receiver.counts()
        samples.append(Sample(time.monotonic() - began_s, tally.requests, tally.overloaded, limit))
        time.sleep(_LOOK_S)


def _behave(course: Course, capacity: int, ground: Ground) -> None:
    queue = 0 if course.refuses else _ALL_WAIT
    ground.setting.receiver.behave(latency_ms=SERVICE_S * 1000, capacity=capacity, queue=queue)
