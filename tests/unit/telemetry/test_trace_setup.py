"""OpenTelemetry's environment variables, and spans that get lost."""

import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from consumer.errors import ConfigurationError
from consumer.telemetry.trace_setup import (
    DEFAULT_RATIO,
    TraceSettings,
    read_settings,
    traces_from_environment,
    traces_to,
)

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_TRACES_SAMPLER": "always_on"},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "true"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"},
        {**ENDPOINT, "OTEL_TRACES_SAMPLER": "always_off"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    ],
)
def test_without_an_endpoint_or_when_told_so_there_is_no_tracing(environ):
    assert read_settings(environ).ratio is None


@pytest.mark.parametrize(
    ("environ", "ratio"),
    [
        (ENDPOINT, DEFAULT_RATIO),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, DEFAULT_RATIO),
        ({**ENDPOINT, "OTEL_TRACES_SAMPLER_ARG": "0.25"}, 0.25),
        ({**ENDPOINT, "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, 0.0),
        ({**ENDPOINT, "OTEL_TRACES_SAMPLER": "always_on"}, 1.0),
        ({**ENDPOINT, "OTEL_TRACES_SAMPLER": "parentbased_always_off"}, 0.0),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, DEFAULT_RATIO),
    ],
)
def test_the_ratio_is_what_the_standard_variables_say(environ, ratio):
    assert read_settings(environ).ratio == ratio


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_TRACES_SAMPLER_ARG", "a lot"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
    ],
)
def test_a_value_that_cannot_be_followed_is_a_mistake_that_names_its_variable(name, value):
    with pytest.raises(ConfigurationError, match=f"environment: {name}: must be"):
        read_settings({**ENDPOINT, name: value})


def test_spans_reach_a_collector_over_otlp_with_the_services_name(monkeypatch: pytest.MonkeyPatch):
    received: list[tuple[str, ExportTraceServiceRequest]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    try:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_on")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
        traces = traces_from_environment("group", lambda *_: None)
        span = traces.tracing.process("events", 0, 0, 1, [])
        assert span is not None
        span.end()
        traces.close()
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
    [(path, request)] = received
    assert path == "/v1/traces"
    [group] = request.resource_spans
    about = {one.key: one.value.string_value for one in group.resource.attributes}
    assert about["service.name"] == "distinct-consumer"
    assert about["deployment.environment"] == "test"
    assert [one.name for one in group.scope_spans[0].spans] == ["process events"]


def test_a_service_name_of_ones_own_is_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "events-to-distinct")
    exporter = Held()
    exporter.go.set()
    traces = traces_to(exporter, TraceSettings(1.0), "group", lambda *_: None)
    span = traces.tracing.process("events", 0, 0, 1, [])
    assert span is not None
    span.end()
    traces.close()
    assert exporter.exported[0].resource.attributes["service.name"] == "events-to-distinct"


class Held(SpanExporter):
    """Exports nothing until it may go on; then with this result."""

    def __init__(self, result: SpanExportResult = SpanExportResult.SUCCESS) -> None:
        self.go = threading.Event()
        self.exported: list[ReadableSpan] = []
        self._result = result

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.go.wait(10)
        self.exported.extend(spans)
        return self._result


def test_spans_that_find_the_queue_full_are_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5")
    drops: list[tuple[str, int]] = []
    exporter = Held()
    traces = traces_to(
        exporter, TraceSettings(1.0, max_queue_size=20), "group", lambda *drop: drops.append(drop)
    )
    for _ in range(100):
        span = traces.tracing.process("events", 0, 0, 1, [])
        assert span is not None
        span.end()
    exporter.go.set()
    traces.close()
    assert {reason for reason, _ in drops} == {"queue_full"}
    dropped = sum(count for _, count in drops)
    assert dropped >= 70
    assert abs(len(exporter.exported) + dropped - 100) <= 5  # a batch that was just being taken


def test_spans_whose_export_fails_are_counted():
    drops: list[tuple[str, int]] = []
    exporter = Held(SpanExportResult.FAILURE)
    exporter.go.set()
    traces = traces_to(exporter, TraceSettings(1.0), "group", lambda *drop: drops.append(drop))
    span = traces.tracing.process("events", 0, 0, 1, [])
    assert span is not None
    span.end()
    traces.close()
    assert drops == [("export_failed", 1)]
