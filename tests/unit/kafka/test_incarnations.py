"""A topic that was created anew is noticed by its id."""

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicCollection

from consumer.errors import StoppedError
from consumer.kafka.incarnations import INTERVAL_S, Incarnations, admin_of


class Cluster:
    """Answers each question with what is put into `futures`."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def describe_topics(
        self, _topics: TopicCollection, /, *, request_timeout: float
    ) -> Mapping[str, "Future[Any]"]:
        self.futures.append(Future())
        return {"events": self.futures[-1]}

    def poll(self, _timeout_s: float, /) -> int:
        return 0

    def answer(self, topic_id: str) -> None:
        self.futures[-1].set_result(SimpleNamespace(topic_id=topic_id))


def test_a_topic_with_another_id_stops_it_and_says_what_to_do() -> None:
    cluster = Cluster()
    incarnations = Incarnations(["events"], cluster)
    incarnations.look(0.0)
    cluster.answer("first")
    incarnations.look(INTERVAL_S)
    cluster.answer("second")

    with pytest.raises(StoppedError, match=r"events was deleted and created anew.*--to-earliest"):
        incarnations.look(INTERVAL_S + 1)


def test_the_same_id_no_answer_and_an_error_stop_nothing() -> None:
    cluster = Cluster()
    incarnations = Incarnations(["events"], cluster)
    incarnations.look(0.0)
    incarnations.look(100.0)
    assert len(cluster.futures) == 1, "one question at a time"
    cluster.answer("first")
    incarnations.look(101.0)
    incarnations.look(101.0 + INTERVAL_S)
    cluster.futures[-1].set_exception(KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)))
    incarnations.look(102.0 + INTERVAL_S)
    incarnations.look(102.0 + 2 * INTERVAL_S)
    cluster.answer("first")
    incarnations.look(103.0 + 2 * INTERVAL_S)

    assert len(cluster.futures) >= 3


def test_the_admin_client_takes_a_consumers_connection_without_what_is_the_consumers() -> None:
    options = {
        "bootstrap.servers": "127.0.0.1:1",
        "security.protocol": "PLAINTEXT",
        "group.id": "g",
        "group.instance.id": "a",
        "enable.auto.commit": False,
        "fetch.wait.max.ms": 100,
        "on_commit": print,
    }

    assert admin_of(options) is not None
