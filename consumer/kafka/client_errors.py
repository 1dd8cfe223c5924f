"""What the client says of its connections, outside of any call."""

import time
from collections.abc import Mapping

from confluent_kafka import KafkaError

from consumer.core.rotations import RotationPatience
from consumer.errors import BrokerError
from consumer.kafka.bridge import Bridge
from consumer.kafka.certificates import certificate_problem, is_about_certificates
from consumer.kafka.listener import Listener
from consumer.kafka.trouble import Trouble, is_about_credentials, trouble


class ClientErrors:
    """The client's error callback, which runs inside of a poll. Used by the owner thread only."""

    def __init__(self, bridge: Bridge, listener: Listener, config: Mapping[str, object]) -> None:
        """`config`: the client's, to find out what is wrong with a certificate."""
        self._config = config
        self._bridge = bridge
        self._listener = listener
        self._final: BrokerError | None = None
        self._patience = RotationPatience()
        self._said: str | None = None
        self._certificates_seen = False
        self.arrived = False
        """Whether a broker has answered: before that each attempt fails, and one line is to tell it."""

    def on_error(self, error: KafkaError) -> None:
        """The callback."""
        if self.arrived and is_about_credentials(error) and not self._patience.is_over(time.monotonic()):
            self._bridge.post(
                self._listener.noticed, f"{error.str()}: it is tried again, also with a new password"
            )
        elif trouble(error) is Trouble.FATAL:
            self._final = BrokerError(f"Kafka: {error.str()}")
        elif self.arrived:
            self._bridge.post(self._listener.noticed, error.str())
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._said = error.str()
            if is_about_certificates(self._said) and not self._certificates_seen:
                self._certificates_seen = True
                problem = certificate_problem(str(self._config.get("bootstrap.servers", "")), self._config)
                # Of all brokers: none of them gets another certificate within our patience.
                self._final = BrokerError(f"Kafka: {problem}") if problem else None

    def heard(self) -> str | None:
        """Why the last connection was not made, before a broker answered. Raises what is final, as `raise_final`."""
        self.raise_final()
        return self._said

    def raise_final(self) -> None:
        """Raises BrokerError once an error came that nothing but a person ends."""
        if self._final is not None:
            raise self._final

    def end_of(self, error: Exception) -> Exception:
        """What ended the client: the final error of before, where there was one, else this one."""
        return self._final or BrokerError(f"Kafka: {error}")
