"""Which spans the flow leaves behind, and how they hang together."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from consumer.telemetry.spans import Tracing
from consumer.telemetry.trace_setup import Traces, TraceSettings, traces_to
from consumer.types import Headers

HEADERS: Headers = [("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
SERVER = ("api.example.org", 443)


class Recorder:
    """Tracing into memory."""

    def __init__(self, ratio: float) -> None:
        self._exporter = InMemorySpanExporter()
        self._traces: Traces = traces_to(self._exporter, TraceSettings(ratio), "group", lambda *_: None)
        self.tracing: Tracing = self._traces.tracing

    def finished(self) -> dict[str, ReadableSpan]:
        """What was exported, by name; ends the recording."""
        self._traces.close()
        return {span.name: span for span in self._exporter.get_finished_spans()}


class Delivered:
    pass


class Unclear:
    pass


class Rejected:
    pass


@pytest.fixture
def by_links() -> Iterator[Recorder]:
    """Samples only what a sampled trace leads to."""
    recorder = Recorder(ratio=0.0)
    yield recorder
    recorder.finished()


def context_of(span: ReadableSpan) -> SpanContext:
    context = span.get_span_context()
    assert context is not None
    return context


def carried(context: SpanContext) -> str:
    """As the header names it; the last digit also says whether the trace id is random."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def link(tracing: Tracing) -> SpanContext:
    context = tracing.sampled_context(HEADERS)
    assert context is not None
    return context


def test_a_batch_is_linked_to_its_producers_and_its_request_is_its_child(by_links: Recorder):
    tracing = by_links.tracing
    process = tracing.process("events", 3, 100, 50, [link(tracing)])
    assert process is not None
    request = tracing.request([process, None, process], SERVER, "ua", items=1, resend_count=0)
    assert request is not None
    headers = {"content-type": "application/json"}
    request.inject(headers)
    request.end(200, Delivered())
    process.end()
    spans = by_links.finished()

    span = spans["process events"]
    assert span.kind is SpanKind.CONSUMER
    assert span.parent is None
    assert [f"{one.context.trace_id:032x}" for one in span.links] == ["4bf92f3577b34da6a3ce929d0e0e4736"]
    assert dict(span.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.consumer.group.name": "group",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "events",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 100,
        "messaging.batch.message_count": 50,
    }
    post = spans["POST"]
    assert post.kind is SpanKind.CLIENT
    assert post.parent is not None
    assert post.parent.span_id == context_of(span).span_id
    assert post.links == ()
    assert post.attributes is not None
    assert post.attributes["server.address"] == "api.example.org"
    assert post.attributes["http.response.status_code"] == 200
    assert post.status.status_code is StatusCode.UNSET
    assert "error.type" not in post.attributes
    assert headers["traceparent"] == carried(context_of(post))
    assert context_of(post).trace_flags.sampled


def test_an_array_of_several_batches_is_a_child_of_the_first_and_linked_to_the_rest(by_links: Recorder):
    tracing = by_links.tracing
    first, second = (tracing.process("events", n, 0, 1, [link(tracing)]) for n in range(2))
    request = tracing.request([first, second], SERVER, "event", items=2, resend_count=3)
    assert first is not None
    assert second is not None
    assert request is not None
    request.end(None, Unclear())
    post = by_links.finished()["POST"]
    assert post.parent is not None
    assert post.parent.span_id == first.context.span_id
    assert [one.context.span_id for one in post.links] == [second.context.span_id]
    assert post.attributes is not None
    assert post.attributes["http.request.resend_count"] == 3
    assert post.attributes["error.type"] == "unclear"
    assert post.status.status_code is StatusCode.ERROR


def test_a_refusal_is_an_error_named_by_its_status(by_links: Recorder):
    tracing = by_links.tracing
    process = tracing.process("events", 0, 0, 1, [link(tracing)])
    request = tracing.request([process], SERVER, "ua", items=1, resend_count=0)
    assert request is not None
    request.end(422, Rejected())
    attributes = by_links.finished()["POST"].attributes
    assert attributes is not None
    assert attributes["error.type"] == "422"
    assert attributes["distinct_consumer.outcome"] == "rejected"


def test_a_dead_letter_carries_the_context_of_its_own_span(by_links: Recorder):
    tracing = by_links.tracing
    process = tracing.process("events", 0, 0, 1, [link(tracing)])
    letter = tracing.dead_letter("events.dead-letters", process)
    assert letter is not None
    name, raw = letter.header()
    letter.end()
    span = by_links.finished()["send events.dead-letters"]
    assert span.kind is SpanKind.PRODUCER
    assert (name, raw) == ("traceparent", carried(context_of(span)).encode())


def test_a_commit_is_linked_to_each_chunk_once(by_links: Recorder):
    tracing = by_links.tracing
    process = tracing.process("events", 0, 0, 10, [link(tracing)])
    commit = tracing.commit("events", [None, process, process])
    assert commit is not None
    assert process is not None
    commit.end("broker_unavailable")
    span = by_links.finished()["commit events"]
    assert [one.context for one in span.links] == [process.context]
    assert span.status.status_code is StatusCode.ERROR


def test_without_a_sampled_producer_nothing_is_started(by_links: Recorder):
    tracing = by_links.tracing
    unsampled: Headers = [("traceparent", HEADERS[0][1][:-2] + b"00" if HEADERS[0][1] else None)]
    assert tracing.sampled_context(unsampled) is None
    assert tracing.sampled_context(None) is None
    assert tracing.process("events", 0, 0, 1, []) is None
    assert tracing.request([None], SERVER, "ua", items=1, resend_count=0) is None
    assert tracing.commit("events", [None]) is None
    assert tracing.dead_letter("events.dead-letters", None) is None
    assert by_links.finished() == {}


def test_a_share_of_the_batches_is_sampled_without_a_reason_and_not_a_share_of_that_share():
    recorder = Recorder(ratio=1.0)
    process = recorder.tracing.process("events", 0, 0, 1, [])
    assert process is not None
    process.end()
    assert "process events" in recorder.finished()
    half = Recorder(ratio=0.5)
    started = [span for _ in range(400) if (span := half.tracing.process("events", 0, 0, 1, [])) is not None]
    assert 120 < len(started) < 280
    assert all(span.context.trace_flags.sampled for span in started)
    half.finished()


def test_links_beyond_the_limit_are_left_out_and_the_span_still_comes(by_links: Recorder):
    producers = [link(by_links.tracing)] * 500
    process = by_links.tracing.process("events", 0, 0, 500, producers)
    assert process is not None
    process.end()
    assert len(by_links.finished()["process events"].links) == 128


def test_without_a_tracer_headers_are_not_even_looked_at():
    tracing = Tracing(None, "group")
    assert tracing.sampled_context(HEADERS) is None
    assert tracing.process("events", 0, 0, 1, []) is None
