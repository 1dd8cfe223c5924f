"""What a cluster is meant to have, and what it was found to have: plain values, without any client."""

from collections.abc import Mapping

import msgspec

RETENTION_MS = "retention.ms"
RETENTION_BYTES = "retention.bytes"
MAX_MESSAGE_BYTES = "max.message.bytes"
CLEANUP_POLICY = "cleanup.policy"


class WantedTopic(msgspec.Struct, frozen=True):
    """A topic that is read. Configs that are not named are nobody's claim: they stay as they are."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


class WantedLetters(msgspec.Struct, frozen=True):
    """A dead-letter topic, perhaps of several sources; `partitions` and `replication` are for its creation only."""

    name: str
    sources: tuple[str, ...]
    partitions: int
    replication: int


class WantedSubject(msgspec.Struct, frozen=True):
    """A subject of the schema registry. `level` is its compatibility; None claims none."""

    name: str
    text: str
    level: str | None


class Wanted(msgspec.Struct, frozen=True):
    """All that a topology asks of a cluster and its registry."""

    topics: tuple[WantedTopic, ...]
    letters: tuple[WantedLetters, ...]
    subjects: tuple[WantedSubject, ...]


class FoundTopic(msgspec.Struct, frozen=True):
    """A topic that exists; `configs` are the effective ones, the cluster's defaults included."""

    partitions: int
    replication: int
    configs: Mapping[str, str]


class FoundCluster(msgspec.Struct, frozen=True):
    """What the brokers say. `defaults` are the configs that a new topic gets where it names none."""

    brokers: int
    topics: Mapping[str, FoundTopic]
    defaults: Mapping[str, str]


class FoundSubject(msgspec.Struct, frozen=True):
    """A subject as the registry has it: `versions` by their number, none where there is no such subject.

    `holds` is the number of the version that is the wanted schema. `level` is the subject's own compatibility,
    `inherited` what counts without one.
    """

    versions: Mapping[int, object]
    holds: int | None
    level: str | None
    inherited: str
