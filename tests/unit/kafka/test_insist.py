"""Questions to the broker: asked again while the error passes, and given up at a stop."""

import threading
import time

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.errors import BrokerError
from consumer.kafka.insist import LONGEST_SLICE_S, SLICE_S, StopAsked, insist


class Broker:
    """Fails with one error after the other, then answers; remembers how long each question might take."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.slices_s: list[float] = []
        self.on_ask = lambda: None

    def __call__(self, timeout_s: float) -> str:
        self.slices_s.append(timeout_s)
        self.on_ask()
        if self.codes:
            raise KafkaException(KafkaError(self.codes.pop(0)))
        return "answer"


def test_a_passing_error_is_asked_again_and_told() -> None:
    told: list[str] = []
    broker = Broker(KafkaError.COORDINATOR_NOT_AVAILABLE)

    assert insist(broker, 20.0, threading.Event(), told.append) == "answer"
    assert len(told) == 1


def test_an_error_that_does_not_pass_ends_it_at_once() -> None:
    broker = Broker(KafkaError.GROUP_AUTHORIZATION_FAILED)

    with pytest.raises(BrokerError):
        insist(broker, 20.0, threading.Event())
    assert len(broker.slices_s) == 1


def test_an_error_that_does_not_pass_in_time_ends_it_at_the_bound() -> None:
    broker = Broker(*[KafkaError._TRANSPORT] * 100)
    started_s = time.monotonic()

    with pytest.raises(BrokerError, match="Kafka gave no answer"):
        insist(broker, 0.2, threading.Event())
    assert 0.2 <= time.monotonic() - started_s < 5.0


def test_a_stop_ends_it_before_the_next_question() -> None:
    stopping = threading.Event()
    broker = Broker(*[KafkaError._TRANSPORT] * 100)
    broker.on_ask = stopping.set

    with pytest.raises(StopAsked):
        insist(broker, 3600.0, stopping)
    assert broker.slices_s == [SLICE_S], "one question, no longer than a signal may wait"


def test_a_broker_that_is_there_and_slow_gets_longer_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumer.kafka.insist.PAUSE_S", 0.0)
    broker = Broker(KafkaError._TRANSPORT, *[KafkaError._TIMED_OUT] * 4)

    insist(broker, 3600.0, threading.Event())

    assert broker.slices_s == [SLICE_S, SLICE_S, 2 * SLICE_S, *[LONGEST_SLICE_S] * 3]
