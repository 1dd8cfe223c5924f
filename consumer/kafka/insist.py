"""Questions to the broker that may meet a passing error, and a stop while they do."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

from consumer.errors import BrokerError
from consumer.kafka.trouble import Trouble, trouble

R = TypeVar("R")
PAUSE_S = 0.5
SLICE_S = 1.0
"""How long one question waits while no broker is there: a stop is not obeyed meanwhile."""
LONGEST_SLICE_S = 4.0
"""The same for a broker that is there and slow: asked in shorter slices only, it would never be heard."""


class StopAsked(Exception):
    """A stop was asked for before the broker answered."""


def _ignore(_: str) -> None:
    pass


def insist(
    call: Callable[[float], R],
    timeout_s: float,
    stopping: threading.Event,
    on_wait: Callable[[str], None] = _ignore,
) -> R:
    """Ask again while the answer is a passing error, as it is for seconds when a coordinator moves. Blocks.

    `call` gets the seconds that it may take; `on_wait` the reason of each pause. Raises BrokerError when the error
    does not pass within the bound, or is of another kind, and StopAsked, about a second after `stopping` was set.
    """
    deadline_s = time.monotonic() + timeout_s
    slice_s = SLICE_S
    while not stopping.is_set():
        try:
            return call(max(0.1, min(slice_s, deadline_s - time.monotonic())))
        except KafkaException as error:
            cause = error.args[0]
            passing = isinstance(cause, KafkaError) and trouble(cause) is Trouble.PASSING
            text = cause.str() if isinstance(cause, KafkaError) else str(cause)
            if not passing or time.monotonic() >= deadline_s:
                raise BrokerError(f"Kafka {'gave no answer' if passing else 'refused'}: {text}") from None
            if isinstance(cause, KafkaError) and cause.code() == KafkaError._TIMED_OUT:
                slice_s = min(slice_s * 2, LONGEST_SLICE_S)
            on_wait(text)
            stopping.wait(min(PAUSE_S, max(0.0, deadline_s - time.monotonic())))
    raise StopAsked
