"""Errors of the Kafka client, told apart by what is to be done about them."""

import pytest
from confluent_kafka import KafkaError

from consumer.kafka.trouble import Trouble, trouble


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (KafkaError._ALL_BROKERS_DOWN, Trouble.PASSING),
        (KafkaError._TRANSPORT, Trouble.PASSING),
        (KafkaError.NOT_COORDINATOR, Trouble.PASSING),
        (KafkaError._PARTITION_EOF, Trouble.END_OF_PARTITION),
        (KafkaError._AUTO_OFFSET_RESET, Trouble.GAP),
        (KafkaError.FENCED_INSTANCE_ID, Trouble.FATAL),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, Trouble.FATAL),
        # The event of a client that has given up: it is not marked as fatal, and nothing ever comes after it.
        (KafkaError._FATAL, Trouble.FATAL),
    ],
)
def test_an_error_is_told_apart_by_its_code(code: int, expected: Trouble) -> None:
    assert trouble(KafkaError(code)) is expected
