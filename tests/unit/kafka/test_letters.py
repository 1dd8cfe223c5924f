"""What is said of a letter that was not written."""

import pytest
from confluent_kafka import KafkaError

from consumer.kafka.letters import TooLarge, Unwritten, Written, outcome_of


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (KafkaError._UNKNOWN_TOPIC, "the topic does not exist: `topology apply` creates it (_UNKNOWN_TOPIC)"),
        (
            KafkaError.UNKNOWN_TOPIC_OR_PART,
            "the topic does not exist: `topology apply` creates it (UNKNOWN_TOPIC_OR_PART)",
        ),
        (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            "there is no permission to write to it (TOPIC_AUTHORIZATION_FAILED)",
        ),
        (KafkaError.KAFKA_STORAGE_ERROR, "KAFKA_STORAGE_ERROR"),
    ],
)
def test_the_reason_is_for_a_person_and_keeps_kafkas_name_for_it(code: int, says: str) -> None:
    assert outcome_of(KafkaError(code)) == Unwritten(says)


def test_what_is_too_large_is_told_apart() -> None:
    assert outcome_of(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)) == TooLarge()
    assert outcome_of(None) == Written()
