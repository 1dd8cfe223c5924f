"""The checker's own clients see every commit, when it stood, and also those that stood for a moment only."""

import time

from confluent_kafka import Consumer, TopicPartition

from tests.brokers import Broker
from tests.checker import CommitWatch, committed_offsets, read_commits
from tests.integration.processes import wait_until


def test_every_commit_is_seen_with_its_time(broker: Broker) -> None:
    topic, group = broker.topic(partitions=2), broker.group()
    client = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": group})

    with CommitWatch(broker.bootstrap_servers, group, topic) as watch:
        before_ms = time.time_ns() // 1_000_000
        for offset in (3, 5, 4):
            client.commit(offsets=[TopicPartition(topic, 1, offset)], asynchronous=False)
        wait_until(lambda: watch.standing == {1: 4}, 10.0)
        after_ms = time.time_ns() // 1_000_000
    client.close()

    commits = read_commits(broker.bootstrap_servers, group, topic)
    assert [(one.partition, one.offset) for one in commits] == [(1, 3), (1, 5), (1, 4)]
    assert all(before_ms <= one.at_ms <= after_ms for one in commits)
    assert watch.commits[-1][1:] == (1, 4)
    assert committed_offsets(broker.bootstrap_servers, group, topic) == {1: 4}
    assert committed_offsets(broker.bootstrap_servers, broker.group("nobody"), topic) == {}
