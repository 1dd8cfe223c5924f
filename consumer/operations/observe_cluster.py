"""What brokers and schema registry say of the topics and subjects that a topology needs. Changes nothing."""

import asyncio
from collections.abc import Iterator

from consumer.avro.registry import Registry
from consumer.core.changes import (
    AddPartitions,
    Changes,
    CreateTopic,
    RegisterSchema,
    SetCompatibility,
    SetConfig,
)
from consumer.core.cluster import FoundCluster, Wanted
from consumer.core.topic_diff import diff_topics, names_of
from consumer.errors import BrokerError, RegistryUnavailable
from consumer.kafka.admin import Cluster
from consumer.operations.observation import Observation, State
from consumer.operations.provision import subject_difference

_BY_APPLY = "`topology apply`"


async def observe_cluster(wanted: Wanted, cluster: Cluster) -> list[Observation]:
    """The brokers, each topic, and whether the dead-letter topics take and keep what must go into them."""
    names = list(names_of(wanted))
    try:
        found = await asyncio.to_thread(cluster.look, set(names))
    except BrokerError as error:
        return [Observation("broker", "", "failed", str(error))]
    seen = [Observation("broker", "", "ok", f"{found.brokers} answering")]
    letters = {one.name for one in wanted.letters}
    changes = diff_topics(wanted, found)
    for name in names:
        told = list(_of_topic(name, changes, dead_letters=name in letters))
        seen += told or [Observation("topic", name, "ok", _standing(name, found))]
    return seen


async def observe_registry(wanted: Wanted, registry: Registry) -> list[Observation]:
    """Whether it answers, and whether the topics' schemas are under their subjects."""
    try:
        await registry.probe()
        seen = [Observation("registry", "", "ok", "answering")]
        for subject in wanted.subjects:
            told = list(_of_subject(subject.name, await subject_difference(subject, registry)))
            seen += told or [Observation("subject", subject.name, "ok", "the schema is registered")]
    except RegistryUnavailable as error:
        return [Observation("registry", "", "failed", str(error))]
    return seen


def _of_topic(name: str, changes: Changes, *, dead_letters: bool) -> Iterator[Observation]:
    def seen(state: State, text: str) -> Observation:
        return Observation("topic", name, state, text)

    for change in changes.changes:
        match change:
            case CreateTopic(topic) if topic == name:
                yield seen("failed", f"does not exist: {_BY_APPLY} creates it")
            case AddPartitions(topic, before, after) if topic == name:
                yield seen("warning", f"has {before} partitions, and the topology says {after}")
            case SetConfig(topic, config, before, after) if topic == name:
                # A letter that does not fit or does not stay is lost: of other topics it is a difference only.
                text = f"{config} is {before}, not {after}: {_BY_APPLY} sets it"
                yield seen("failed" if dead_letters else "warning", text)
    yield from (seen("warning", one.text) for one in changes.refusals if one.about == name)
    # More partitions are told above; what it would do to the order of keys belongs to the plan.
    growing = any(isinstance(one, AddPartitions) and one.topic == name for one in changes.changes)
    if not growing:
        yield from (seen("warning", one.text) for one in changes.warnings if one.about == name)


def _of_subject(name: str, changes: Changes) -> Iterator[Observation]:
    for change in changes.changes:
        match change:
            case RegisterSchema():
                text = f"the schema is not registered: {_BY_APPLY} does, and so does a producer"
                yield Observation("subject", name, "warning", text)
            case SetCompatibility(_, before, after):
                yield Observation("subject", name, "warning", f"compatibility is {before}, not {after}")
    for refused in changes.refusals:
        yield Observation("subject", name, "warning", refused.text)
    for caution in changes.warnings:
        yield Observation("subject", name, "warning", caution.text)


def _standing(name: str, found: FoundCluster) -> str:
    topic = found.topics[name]
    return f"{topic.partitions} partitions, replication {topic.replication}"
