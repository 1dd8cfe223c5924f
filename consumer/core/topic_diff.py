"""What would have to change for topics to be as they are wanted: never less than there is.

Deleting and shrinking is refused: a lower retention or another clean-up deletes records, fewer partitions are
not to be had, and a lower size limit turns producers away that were let in before.
"""

from collections.abc import Iterable, Mapping

from consumer.core.changes import AddPartitions, Caution, Changes, CreateTopic, Refused, SetConfig
from consumer.core.cluster import (
    CLEANUP_POLICY,
    MAX_MESSAGE_BYTES,
    RETENTION_BYTES,
    RETENTION_MS,
    FoundCluster,
    FoundTopic,
    Wanted,
    WantedTopic,
)
from consumer.core.config_values import is_lower, same_value, words
from consumer.core.letter_rules import letters_as_wanted, letters_diff

_NEVER_LOWER: Mapping[str, str] = {
    RETENTION_MS: "deletes records that are kept now",
    RETENTION_BYTES: "deletes records that are kept now",
    MAX_MESSAGE_BYTES: "turns away records that are taken now",
}
"""The configs of which less is not given, and what less would do. -1 is without limit."""


def diff_topics(wanted: Wanted, found: FoundCluster) -> Changes:
    """All topics, those that are read first, each dead-letter topic after its sources."""
    total = Changes()
    for topic in wanted.topics:
        total += diff_topic(topic, found)
    for letters in wanted.letters:
        standing = found.topics.get(letters.name)
        needed = letters_as_wanted(letters, wanted.topics, found)
        total += _creation(needed, found) if standing is None else letters_diff(needed, standing)
    return total


def diff_topic(wanted: WantedTopic, found: FoundCluster) -> Changes:
    """One topic that is read."""
    standing = found.topics.get(wanted.name)
    if standing is None:
        return _creation(wanted, found)
    return _partitions(wanted, standing) + _replication(wanted, standing) + _configs(wanted, standing)


def _creation(wanted: WantedTopic, found: FoundCluster) -> Changes:
    new = CreateTopic(wanted.name, wanted.partitions, wanted.replication, wanted.configs)
    if wanted.replication > found.brokers:
        text = f"replication {wanted.replication} needs as many brokers, and there are {found.brokers}"
        return Changes(refusals=(Refused(wanted.name, f"{text}: lower it, or add brokers"),))
    return Changes(changes=(new,))


def _partitions(wanted: WantedTopic, standing: FoundTopic) -> Changes:
    name, before, after = wanted.name, standing.partitions, wanted.partitions
    if before == after:
        return Changes(same=1)
    if before > after:
        text = f"it has {before} partitions: Kafka cannot take one away, so {after} is not to be had; "
        return Changes(refusals=(Refused(name, f"{text}write partitions: {before}"),))
    text = (
        f"{before} → {after} partitions: keys move to other partitions, so a user's records from before and after can "
        "be delivered out of order. Stop producing and let the group come to the end first"
    )
    return Changes(changes=(AddPartitions(name, before, after),), warnings=(Caution(name, text),))


def _replication(wanted: WantedTopic, standing: FoundTopic) -> Changes:
    if wanted.replication == standing.replication:
        return Changes(same=1)
    text = (
        f"replication is {standing.replication}, not {wanted.replication}, and is left: "
        "only kafka-reassign-partitions changes it"
    )
    return Changes(warnings=(Caution(wanted.name, text),))


def _configs(wanted: WantedTopic, standing: FoundTopic) -> Changes:
    total = Changes()
    for name, after in sorted(wanted.configs.items()):
        total += diff_config(wanted.name, name, standing.configs.get(name), after)
    return total


def diff_config(topic: str, name: str, before: str | None, after: str) -> Changes:
    """One config that is claimed exactly."""
    if before is not None and same_value(before, after):
        return Changes(same=1)
    harm = None if before is None else _harm(name, before, after)
    if harm is not None:
        text = f"{name} {before} → {after} {harm}: if that is meant, do it by kafka-configs"
        return Changes(refusals=(Refused(topic, text),))
    return Changes(changes=(SetConfig(topic, name, before, after),))


def _harm(name: str, before: str, after: str) -> str | None:
    """What is lost by this change; None if nothing is."""
    if name == CLEANUP_POLICY:
        added = sorted(words(after) - words(before))
        return f"deletes records that are kept now (by {', '.join(added)})" if added else None
    if name in _NEVER_LOWER and is_lower(after, before):
        return _NEVER_LOWER[name]
    return None


def names_of(wanted: Wanted) -> Iterable[str]:
    """Every topic that is asked about."""
    return [topic.name for topic in wanted.topics] + [letters.name for letters in wanted.letters]
