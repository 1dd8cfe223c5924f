"""What a dead-letter topic must be like, so that a letter fits into it and stays until somebody has looked."""

from collections.abc import Iterable

from consumer.core.changes import Caution, Changes, SetConfig
from consumer.core.cluster import (
    CLEANUP_POLICY,
    MAX_MESSAGE_BYTES,
    RETENTION_BYTES,
    RETENTION_MS,
    FoundCluster,
    FoundTopic,
    WantedLetters,
    WantedTopic,
)
from consumer.core.config_values import is_lower, words

HEADROOM_BYTES = 64 * 1024
"""What a letter's headers may add to the record."""
RETENTION_OF_LETTERS_MS = 30 * 86_400_000
_KAFKA_DEFAULT_BYTES = 1_048_588
"""Kafka's own default of max.message.bytes (kafka.apache.org/documentation, topic configs)."""


def letters_as_wanted(
    letters: WantedLetters, topics: Iterable[WantedTopic], found: FoundCluster
) -> WantedTopic:
    """The dead-letter topic as it would be created: room for its largest source's records and their headers."""
    sizes = [_largest_record(topic, found) for topic in topics if topic.name in letters.sources]
    room_bytes = max(sizes, default=_KAFKA_DEFAULT_BYTES) + HEADROOM_BYTES
    configs = {
        # By compaction a later letter of the same user would take the earlier one's place.
        CLEANUP_POLICY: "delete",
        MAX_MESSAGE_BYTES: str(room_bytes),
        RETENTION_MS: str(RETENTION_OF_LETTERS_MS),
    }
    return WantedTopic(letters.name, letters.partitions, letters.replication, configs)


def letters_diff(needed: WantedTopic, standing: FoundTopic) -> Changes:
    """What an existing one lacks. More than is needed is left as it is, and so are its partitions."""
    total = Changes(same=1)
    for name in (MAX_MESSAGE_BYTES, RETENTION_MS):
        before, least = standing.configs.get(name), needed.configs[name]
        if before is not None and not is_lower(before, least):
            total += Changes(same=1)
        else:
            total += Changes(changes=(SetConfig(needed.name, name, before, least),))
    return total + Changes(warnings=_cautions(needed.name, standing))


def _cautions(name: str, standing: FoundTopic) -> tuple[Caution, ...]:
    """What cannot be mended without deleting."""
    found = []
    if "compact" in words(standing.configs.get(CLEANUP_POLICY, "")):
        found.append(
            f"{CLEANUP_POLICY} is {standing.configs[CLEANUP_POLICY]}: a later letter of a user deletes "
            "the earlier one; set it to delete by kafka-configs"
        )
    size = standing.configs.get(RETENTION_BYTES, "-1")
    if is_lower(size, "-1"):
        found.append(f"{RETENTION_BYTES} is {size}: many letters at once are deleted before their 30 days")
    return tuple(Caution(name, text) for text in found)


def _largest_record(topic: WantedTopic, found: FoundCluster) -> int:
    """What the source takes, now or after the plan: the larger counts, as it may hold such records already."""
    standing = found.topics.get(topic.name)
    configs = standing.configs if standing is not None else found.defaults
    texts = (topic.configs.get(MAX_MESSAGE_BYTES), configs.get(MAX_MESSAGE_BYTES))
    sizes = [int(text) for text in texts if text is not None and text.isdecimal()]
    return max(sizes, default=_KAFKA_DEFAULT_BYTES)
