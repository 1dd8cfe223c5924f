"""Questions to the broker that may meet a passing error."""

import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

from consumer.errors import BrokerError
from consumer.kafka.trouble import Trouble, trouble

R = TypeVar("R")
PAUSE_S = 0.5


def insist(call: Callable[[], R], timeout_s: float) -> R:
    """Ask again while the answer is a passing error, as it is for seconds when a coordinator moves. Blocks.

    Raises BrokerError when the error does not pass within the bound, or is of another kind.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            return call()
        except KafkaException as error:
            cause = error.args[0]
            passing = isinstance(cause, KafkaError) and trouble(cause) is Trouble.PASSING
            if not passing or time.monotonic() > deadline_s:
                text = cause.str() if isinstance(cause, KafkaError) else str(cause)
                raise BrokerError(f"Kafka gave no answer: {text}") from None
            time.sleep(PAUSE_S)
