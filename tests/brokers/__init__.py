"""Real and pretended servers for tests: a Kafka broker, a reader of topics, a schema registry."""

from tests.brokers.broker import Broker
from tests.brokers.cluster import KafkaCluster
from tests.brokers.local_kafka import LocalKafka
from tests.brokers.registry import Delay, Drop, Fault, Hang, Reply, SchemaRegistry
from tests.brokers.source import NoSource, Source, find_source
from tests.brokers.topic_reader import StoredRecord, TopicReader

__all__ = [
    "Broker",
    "Delay",
    "Drop",
    "Fault",
    "Hang",
    "KafkaCluster",
    "LocalKafka",
    "NoSource",
    "Reply",
    "SchemaRegistry",
    "Source",
    "StoredRecord",
    "TopicReader",
    "find_source",
]
