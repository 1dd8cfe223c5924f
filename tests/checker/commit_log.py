"""Every commit of a group, from the broker's own log of them."""

import struct

from tests.brokers import StoredRecord, TopicReader
from tests.checker.evidence import Commit

_TOPIC = "__consumer_offsets"
_OFFSET_COMMIT_KEYS = (0, 1)


def read_commits(bootstrap_servers: str, group: str, topic: str) -> list[Commit]:
    """All commits of the group for the topic, in the order in which the broker took them. Blocks.

    The broker writes one record a commit and partition, and answers only then: nothing that a group ever
    committed is missing here, however short it stood. Source: Apache Kafka, OffsetCommitKey.json and
    OffsetCommitValue.json; of the value only version and offset are read, which all versions have in front.
    """
    commits = []
    for record in TopicReader(bootstrap_servers).read(_TOPIC):
        commit = _commit(record, group, topic)
        if commit is not None:
            commits.append(commit)
    return commits


def _commit(record: StoredRecord, group: str, topic: str) -> Commit | None:
    key, value = record.key, record.value
    if key is None or value is None or struct.unpack_from(">h", key)[0] not in _OFFSET_COMMIT_KEYS:
        return None
    of_group, rest = _text(key[2:])
    of_topic, rest = _text(rest)
    if (of_group, of_topic) != (group, topic):
        return None
    (partition,) = struct.unpack(">i", rest)
    _, offset = struct.unpack_from(">hq", value)
    return Commit(record.timestamp_ms, partition, offset)


def _text(data: bytes) -> tuple[str, bytes]:
    (size,) = struct.unpack_from(">h", data)
    return data[2 : 2 + size].decode(), data[2 + size :]
