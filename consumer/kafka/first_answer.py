"""The first answer of the brokers to a client that is no consumer, and why there is none."""

import time
from collections.abc import Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ClusterMetadata  # type: ignore[attr-defined]  # exported at run time

from consumer.errors import BrokerError
from consumer.kafka.certificates import certificate_problem, is_about_certificates
from consumer.kafka.trouble import Trouble, trouble

_SLICE_S = 1.0


class Client(Protocol):
    """What an admin client and a producer have in common."""

    def list_topics(self, topic: str = ..., timeout: float = ...) -> ClusterMetadata: ...

    def poll(self, timeout: float) -> Any: ...


class FirstAnswer:
    """Made before its client, whose `error_cb` is `on_error`; then `topics` asks, and knows what was heard."""

    def __init__(self, bootstrap_servers: str, properties: Mapping[str, str]) -> None:
        self._servers = bootstrap_servers
        self._properties = properties
        self._said: str | None = None
        self._final: str | None = None

    def on_error(self, error: KafkaError) -> None:
        """The client's callback. That all brokers are down is a consequence, not a reason."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            return
        self._said = error.str()
        if trouble(error) is Trouble.FATAL:
            self._final = error.str()
        elif is_about_certificates(self._said):
            self._final = self._final or certificate_problem(self._servers, self._properties)

    def topics(self, client: Client, timeout_s: float, topic: str | None = None) -> ClusterMetadata:
        """The metadata of this topic or of all. Blocks.

        Raises BrokerError with why the last connection failed: at once where it was for good (a wrong password, a
        certificate that is not accepted), else after `timeout_s`.
        """
        deadline_s = time.monotonic() + timeout_s
        asked = {} if topic is None else {"topic": topic}
        while True:
            left_s = deadline_s - time.monotonic()
            try:
                return client.list_topics(**asked, timeout=max(0.1, min(_SLICE_S, left_s)))
            except KafkaException as error:
                self._hear(client)
                cause = error.args[0]
                text = cause.str() if isinstance(cause, KafkaError) else str(cause)
                if self._final is not None or time.monotonic() >= deadline_s:
                    raise BrokerError(self._told(text, timeout_s)) from None

    def _hear(self, client: Client) -> None:
        try:
            client.poll(0)  # the client's error events come only here
        except KafkaException as error:  # as a fatal one does, past the callback
            self._final = error.args[0].str()

    def _told(self, text: str, timeout_s: float) -> str:
        within = "" if self._final else f" within {timeout_s:g} s"
        return (
            f"no answer from {self._servers}{within}: {self._final or self._said or text}; check "
            "KAFKA_BOOTSTRAP_SERVERS, and KAFKA_PROPERTIES for what the brokers ask for"
        )
