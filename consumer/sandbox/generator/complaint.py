"""What librdkafka complains of, in words for people."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from consumer.errors import UsageError


def reason(error: KafkaException) -> str:
    """What went wrong, in librdkafka's words."""
    inner = error.args[0]
    return inner.str() if isinstance(inner, KafkaError) else str(inner)


@contextmanager
def properties_checked() -> Iterator[None]:
    """Around the construction of a client: what librdkafka refuses there is a property that people wrote."""
    try:
        yield
    except KafkaException as error:
        raise UsageError(f"KAFKA_PROPERTIES: {reason(error)}") from error
