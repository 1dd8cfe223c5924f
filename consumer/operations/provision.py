"""A cluster and a schema registry brought to what a topology asks for: the difference, and carrying it out."""

import asyncio
from collections.abc import Callable
from typing import cast

from consumer.avro.proof import prove
from consumer.avro.registry import Registry
from consumer.avro.schemas import SchemaText
from consumer.core.changes import (
    Caution,
    Change,
    Changes,
    Refused,
    RegisterSchema,
    SetCompatibility,
    TopicChange,
)
from consumer.core.cluster import FoundSubject, Wanted, WantedSubject
from consumer.core.subject_diff import diff_subject, level_in_force
from consumer.core.topic_diff import diff_topics, names_of
from consumer.kafka.admin import Cluster


async def difference(wanted: Wanted, cluster: Cluster, registry: Registry | None) -> Changes:
    """What would have to change, checked by the brokers where they can check without changing.

    `registry` may be missing where no subject is wanted. Raises BrokerError and RegistryUnavailable.
    """
    found = await asyncio.to_thread(cluster.look, set(names_of(wanted)))
    topics = diff_topics(wanted, found)
    total = topics + await asyncio.to_thread(_rehearse, topics, cluster)
    for subject in wanted.subjects:
        assert registry is not None
        total += await subject_difference(subject, registry)
    return total


async def subject_difference(wanted: WantedSubject, registry: Registry) -> Changes:
    """What would have to change for one subject; the schema is proven against the versions that are there."""
    versions = await registry.versions(wanted.name)
    own, inherited = await registry.level(wanted.name)
    holds = await registry.version_of(wanted.name, wanted.text) if versions else None
    found = FoundSubject(versions, holds, own, inherited)
    return diff_subject(wanted, found, _problems(wanted, found, versions))


async def carry_out(
    changes: Changes, cluster: Cluster | None, registry: Registry | None, told: Callable[[Change], None]
) -> None:
    """Make the changes in their order; `told` hears of each that is made.

    Raises BrokerError and RegistryUnavailable where one fails: those before it are made, and the next
    difference holds the rest.
    """
    for change in changes.changes:
        match change:
            case RegisterSchema(subject, _, text):
                assert registry is not None
                await registry.register(subject, text)
            case SetCompatibility(subject, _, level):
                assert registry is not None
                await registry.set_level(subject, level)
            case _:
                assert cluster is not None
                await asyncio.to_thread(cluster.carry_out, change)
        told(change)


def _problems(wanted: WantedSubject, found: FoundSubject, versions: dict[int, SchemaText]) -> list[str]:
    """The proof by the level that will count. Of a schema that is there already nothing is asked but the new level."""
    if found.holds is not None and wanted.level in (None, found.level):
        return []
    earlier = {number: text for number, text in versions.items() if number != found.holds}
    named = [(f"version {number}", text) for number, text in earlier.items()]
    return prove(level_in_force(wanted, found), [*named, ("the new schema", SchemaText(wanted.text))])


def _rehearse(changes: Changes, cluster: Cluster) -> Changes:
    """What the brokers object to, before anything is changed."""
    total = Changes()
    for change in cast(tuple[TopicChange, ...], changes.changes):
        objection = cluster.rehearse(change)
        if objection is None:
            continue
        if objection.ours:
            text = f"whether the cluster takes this could not be tried: {objection.text}"
            total += Changes(warnings=(Caution(change.topic, text),))
        else:
            total += Changes(refusals=(Refused(change.topic, f"the cluster refuses: {objection.text}"),))
    return total
