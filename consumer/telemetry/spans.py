"""The spans of the flow: process, POST, commit, dead letter. None where nothing is sampled.

Names and attributes: OpenTelemetry's semantic conventions 1.44 for messaging and HTTP. A batch is tied to the
producers' traces by links, as it has many; requests are children of the batch they come from.
"""

import random
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    set_span_in_context,
)

from consumer.telemetry.trace_context import (
    CHOSEN,
    TRACEPARENT,
    TRACESTATE,
    sampled_context,
    traceparent,
)
from consumer.types import Headers

_MAX_LINKS = 128  # the SDK's own limit; it would drop the rest silently


class _Sampled:
    """A sampled span."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def context(self) -> SpanContext:
        """What others link to."""
        return self._span.get_span_context()

    def as_parent(self) -> Context:
        """For spans inside of this one."""
        return set_span_in_context(self._span, Context())

    def _finish(self, error_type: str | None) -> None:
        if error_type is not None:
            self._span.set_attribute("error.type", error_type)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class FlowSpan(_Sampled):
    """A span that runs until `end`."""

    def end(self, error_type: str | None = None) -> None:
        """It is over. `error_type`: a short stable word for what went wrong; never a message."""
        self._finish(error_type)


class ProcessSpan(FlowSpan):
    """`process T`: a chunk of records on its way."""


class RequestSpan(_Sampled):
    """`POST`: one attempt of one request."""

    def inject(self, headers: MutableMapping[str, str]) -> None:
        """Add this span's context to a request's headers."""
        headers[TRACEPARENT] = traceparent(self.context)
        if state := self.context.trace_state.to_header():
            headers[TRACESTATE] = state

    def end(self, status: int | None, outcome: object) -> None:
        """The attempt ended: `status` if there was an answer; the outcome's type says what it means."""
        word = type(outcome).__name__.lower()
        self._span.set_attribute("distinct_consumer.outcome", word)
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if word == "delivered":
            self._finish(None)
        else:
            self._finish(str(status) if status is not None and status >= 400 else word)


class SendSpan(FlowSpan):
    """`send T.dead-letters`: a letter on its way to the broker."""

    def header(self) -> tuple[str, bytes]:
        """The letter's own trace context. It goes last: of several headers with a name, the last counts."""
        return TRACEPARENT, traceparent(self.context).encode()


class Tracing:
    """Starts spans, or says None at the cost of a comparison where nothing is sampled."""

    def __init__(self, tracer: Tracer | None, group: str, ratio: float = 0.0) -> None:
        """`tracer` None: nothing is traced. `ratio`: the share of chunks sampled without a link."""
        self._tracer = tracer
        self._ratio = ratio
        self._common = {"messaging.system": "kafka", "messaging.consumer.group.name": group}

    def sampled_context(self, headers: Headers | None) -> SpanContext | None:
        """The producer's context if it was sampled and we trace at all."""
        if self._tracer is None or not headers:
            return None
        return sampled_context(headers)

    def process(
        self,
        topic: str,
        partition: int,
        offset: int,
        count: int,
        links: Sequence[SpanContext],
        topology: str = "",
    ) -> ProcessSpan | None:
        """`process T` for `count` records from `offset` on; `links`: their producers' sampled contexts; `topology`:
        the version that maps them."""
        # The ratio is applied here: building attributes only for the sampler to refuse takes 15 µs a span.
        if self._tracer is None or not (links or random.random() < self._ratio):
            return None
        about = self._messaging("process", "process", topic, count)
        about["messaging.destination.partition.id"] = str(partition)
        about["messaging.kafka.offset"] = offset
        if topology:
            about["distinct_consumer.topology.version"] = topology
        return ProcessSpan(self._start(f"process {topic}", SpanKind.CONSUMER, about, CHOSEN, links))

    def request(
        self,
        parents: Iterable[ProcessSpan | None],
        server: tuple[str, int],
        destination: str,
        items: int,
        resend_count: int,
    ) -> RequestSpan | None:
        """`POST`, one attempt. `parents`: its records' spans; the first is its parent, the rest links."""
        if self._tracer is None or not (sampled := _distinct(parents)):
            return None
        about: dict[str, Any] = {
            "http.request.method": "POST",
            "server.address": server[0],
            "server.port": server[1],
            "distinct_consumer.destination": destination,
            "distinct_consumer.items": items,
        }
        if resend_count:
            about["http.request.resend_count"] = resend_count
        links = [one.context for one in sampled[1:]]
        return RequestSpan(self._start("POST", SpanKind.CLIENT, about, sampled[0].as_parent(), links))

    def commit(self, topic: str, parents: Iterable[ProcessSpan | None]) -> FlowSpan | None:
        """`commit T`; `parents`: the chunks whose records it covers."""
        if self._tracer is None or not (sampled := _distinct(parents)):
            return None
        about = self._messaging("commit", "settle", topic)
        links = [one.context for one in sampled]
        return FlowSpan(self._start(f"commit {topic}", SpanKind.CLIENT, about, links=links))

    def dead_letter(self, topic: str, parent: ProcessSpan | None) -> SendSpan | None:
        """`send T`, where T is the dead letters' topic."""
        if self._tracer is None or parent is None:
            return None
        about = self._messaging("send", "send", topic)
        return SendSpan(self._start(f"send {topic}", SpanKind.PRODUCER, about, parent.as_parent()))

    def _messaging(self, name: str, kind: str, topic: str, count: int | None = None) -> dict[str, Any]:
        about: dict[str, Any] = {
            **self._common,
            "messaging.operation.name": name,
            "messaging.operation.type": kind,
            "messaging.destination.name": topic,
        }
        if count is not None:
            about["messaging.batch.message_count"] = count
        return about

    def _start(
        self,
        name: str,
        kind: SpanKind,
        about: Mapping[str, Any],
        context: Context = CHOSEN,
        links: Sequence[SpanContext] = (),
    ) -> Span:
        assert self._tracer is not None  # every caller has asked
        tied = [Link(one) for one in links[:_MAX_LINKS]]
        return self._tracer.start_span(name, context, kind, about, tied)


def _distinct(spans: Iterable[ProcessSpan | None]) -> list[ProcessSpan]:
    """The sampled ones, each once, in order."""
    sampled = [span for span in spans if span is not None]
    return list(dict.fromkeys(sampled)) if sampled else sampled
