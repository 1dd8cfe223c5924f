"""Records with headers of a test's own: what a traced producer sends."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import Producer

from tests.integration.stage import Stage


@dataclass(frozen=True, slots=True)
class Context:
    """A producer's trace context."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @classmethod
    def new(cls, *, sampled: bool = True) -> "Context":
        return cls(secrets.token_hex(16), secrets.token_hex(8), sampled)

    @property
    def ids(self) -> tuple[str, str]:
        return self.trace_id, self.span_id

    @property
    def header(self) -> tuple[str, bytes]:
        """The W3C header."""
        return "traceparent", f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}".encode()


def produce_traced(stage: Stage, records: Iterable[tuple[bytes, Context | None]]) -> None:
    """Append values of one user, each with its producer's context, and wait for the acknowledgements."""
    producer = Producer({"bootstrap.servers": stage.broker.bootstrap_servers, "log_level": 2})
    for value, context in records:
        headers: list[tuple[str, str | bytes | None]] = [("source", b"the-app")]
        if context is not None:
            headers.append(context.header)
        producer.produce(stage.topic, key=b"user-1", value=value, partition=0, headers=headers)
    assert producer.flush(30.0) == 0
