"""The real broker and its checkers do what the other integration tests rely on."""

import os

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.brokers import Broker, LocalKafka
from tests.brokers.local_kafka import answers
from tests.checker import committed_offsets


def test_what_is_produced_is_read_back_in_order_with_its_keys(broker: Broker) -> None:
    topic = broker.topic(partitions=2)

    broker.produce(topic, [(b"a", b"1"), (b"a", b"2"), (b"a", None)], partition=1)
    broker.produce(topic, [(None, b"3")], partition=0)

    read = [(each.partition, each.offset, each.key, each.value) for each in broker.read(topic)]
    assert read == [(0, 0, None, b"3"), (1, 0, b"a", b"1"), (1, 1, b"a", b"2"), (1, 2, b"a", None)]
    assert broker.end_offsets(topic) == {0: 1, 1: 3}


def test_an_empty_topic_is_read_as_empty_and_an_unknown_one_is_an_error(broker: Broker) -> None:
    assert broker.read(broker.topic(partitions=3)) == []
    with pytest.raises(KafkaException):
        broker.read(broker.unused("never-created"))


def test_the_checker_sees_what_a_group_has_committed(broker: Broker) -> None:
    topic, group = broker.topic(partitions=2), broker.group()
    broker.produce(topic, [(None, b"x")] * 3, partition=0)
    assert committed_offsets(broker.bootstrap_servers, group, topic) == {}

    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, 0, 2)], asynchronous=False)
    consumer.close()

    assert committed_offsets(broker.bootstrap_servers, group, topic) == {0: 2}


def test_a_topic_gets_the_configuration_asked_for(broker: Broker) -> None:
    topic = broker.topic(config={"max.message.bytes": "1024"})

    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        broker.produce(topic, [(None, os.urandom(4096))])


@pytest.mark.parametrize("ending", ["restart", "kill"])
def test_a_restarted_broker_keeps_its_address_and_its_records(
    broker: Broker, broker_process: LocalKafka, ending: str
) -> None:
    topic, address = broker.topic(), broker.bootstrap_servers
    broker.produce(topic, [(b"k", b"before")])

    if ending == "kill":
        broker_process.kill()
    else:
        broker_process.stop()
    assert not answers(address, timeout_s=1.0)
    broker_process.start()
    broker.produce(topic, [(b"k", b"after")])

    assert broker_process.bootstrap_servers == address
    assert [each.value for each in broker.read(topic)] == [b"before", b"after"]
