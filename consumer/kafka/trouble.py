"""What a Kafka error means for us. All errors claim not to be retriable, so they are told apart by their
code.
"""

from enum import Enum

from confluent_kafka import KafkaError, KafkaException

from consumer.errors import BrokerError, ConsumerError, UsageError


class Trouble(Enum):
    """What to do about a Kafka error."""

    PASSING = "passing"
    """librdkafka keeps trying by itself: wait."""
    END_OF_PARTITION = "end_of_partition"
    GAP = "gap"
    """The position is outside of what the broker still has: the topic's `on_gap` decides."""
    FATAL = "fatal"
    """Nothing will work before a person acts."""


_FATAL_CODES = frozenset(
    {
        # What the client raises when it has given up for good, as a member does that another one of its
        # instance id has fenced: an event that is not marked as fatal itself, after which nothing ever comes.
        KafkaError._FATAL,
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.INCONSISTENT_GROUP_PROTOCOL,
        KafkaError.INVALID_GROUP_ID,
        KafkaError.UNSUPPORTED_VERSION,
    }
)
_GAP_CODES = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})


def trouble(error: KafkaError) -> Trouble:
    """Classify an error event or the error of a failed call."""
    code = error.code()
    if code == KafkaError._PARTITION_EOF:
        return Trouble.END_OF_PARTITION
    if code in _GAP_CODES:
        return Trouble.GAP
    if error.fatal() or code in _FATAL_CODES:
        return Trouble.FATAL
    return Trouble.PASSING


def unusable(error: KafkaException) -> ConsumerError:
    """Why a client could not be made: a wrong property, nearly always, which librdkafka names itself."""
    cause = error.args[0]
    if isinstance(cause, KafkaError) and cause.code() in (KafkaError._INVALID_ARG, KafkaError._CONFLICT):
        return UsageError(f"KAFKA_PROPERTIES: {cause.str()}")
    return BrokerError(f"Kafka: {cause}")
