"""Tracing as OpenTelemetry's standard environment variables ask for it; without an endpoint there is none.

Source: OpenTelemetry specification, "Environment Variable Specification" and "OTLP Exporter Configuration".
"""

import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from consumer import __version__
from consumer.errors import ConfigurationError
from consumer.telemetry.spans import Tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

DEFAULT_RATIO = 0.01
CLOSE_TIMEOUT_S = 5.0
_SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_RATIO_SAMPLERS = ("traceidratio", "parentbased_traceidratio")
_FIXED_RATIOS = {"always_on": 1.0, "parentbased_always_on": 1.0, "parentbased_always_off": 0.0}


class TraceSettings(NamedTuple):
    """What the variables say. `ratio` None: no tracing."""

    ratio: float | None
    max_queue_size: int = 2048


class Traces(NamedTuple):
    """Tracing, and what to call at the end: it blocks until all is sent, CLOSE_TIMEOUT_S at most."""

    tracing: Tracing
    close: Callable[[], None]


def read_settings(environ: Mapping[str, str]) -> TraceSettings:
    """Read the OTEL_* variables. Raises ConfigurationError for a value that we can't follow."""
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporter = environ.get("OTEL_TRACES_EXPORTER", "") or "otlp"
    if exporter not in ("otlp", "none"):
        raise _wrong("OTEL_TRACES_EXPORTER", "must be otlp or none")
    if off or exporter == "none" or not any(environ.get(name) for name in _ENDPOINTS):
        return TraceSettings(None)
    for name in _PROTOCOLS:
        if environ.get(name, "") not in ("", "http/protobuf"):
            raise _wrong(name, "must be http/protobuf, the only one that is spoken here (port 4318)")
    return TraceSettings(_ratio(environ), _queue_size(environ))


def _ratio(environ: Mapping[str, str]) -> float | None:
    sampler = environ.get("OTEL_TRACES_SAMPLER", "") or "parentbased_traceidratio"
    if sampler == "always_off":
        return None
    if sampler in _FIXED_RATIOS:
        return _FIXED_RATIOS[sampler]
    if sampler not in _RATIO_SAMPLERS:
        known = ", ".join((*_RATIO_SAMPLERS, *_FIXED_RATIOS, "always_off"))
        raise _wrong("OTEL_TRACES_SAMPLER", f"must be one of {known}")
    try:
        ratio = float(environ.get("OTEL_TRACES_SAMPLER_ARG", "") or DEFAULT_RATIO)
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise _wrong("OTEL_TRACES_SAMPLER_ARG", "must be a number from 0 to 1")
    return ratio


def _queue_size(environ: Mapping[str, str]) -> int:
    text = environ.get("OTEL_BSP_MAX_QUEUE_SIZE", "") or "2048"
    if not text.isdecimal() or int(text) < 1:
        raise _wrong("OTEL_BSP_MAX_QUEUE_SIZE", "must be a whole number above 0")
    return int(text)


def _wrong(name: str, text: str) -> ConfigurationError:
    return ConfigurationError([f"environment: {name}: {text}"])


def traces_from_environment(group: str, on_drop: Callable[[str, int], None]) -> Traces:
    """What the process's OTEL_* variables ask for. Raises ConfigurationError. `on_drop`: see `span_drops`."""
    settings = read_settings(os.environ)
    if settings.ratio is None:
        return Traces(Tracing(None, group), lambda: None)
    # Imported only now: SDK and exporter take a third of a second, which most commands can do without.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    from consumer.telemetry.collector_session import session_without_bodies

    # Endpoint, headers, certificates, time-out: it reads those variables itself.
    return traces_to(OTLPSpanExporter(session=session_without_bodies()), settings, group, on_drop)


def traces_to(
    exporter: "SpanExporter", settings: TraceSettings, group: str, on_drop: Callable[[str, int], None]
) -> Traces:
    """Tracing into an exporter, with the process's resource attributes. Starts the thread that exports."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    from consumer.telemetry.sampler import LinkSampler
    from consumer.telemetry.span_drops import CountingExporter, CountingProcessor

    ratio = settings.ratio or 0.0
    resource = Resource({"service.name": "distinct-consumer", "service.version": __version__})
    named = Resource.create()
    if str(named.attributes.get("service.name", "")).startswith("unknown_service"):
        resource = named.merge(resource)
    else:
        resource = resource.merge(named)
    provider = TracerProvider(LinkSampler(ratio), resource, shutdown_on_exit=False)
    counting = CountingExporter(exporter, on_drop)
    provider.add_span_processor(CountingProcessor(counting, settings.max_queue_size, on_drop))
    tracer = provider.get_tracer("consumer", __version__, schema_url=_SCHEMA_URL)

    def close() -> None:
        # In a thread that the process does not wait for: a collector that hangs must not hold up a stop.
        closing = threading.Thread(target=provider.shutdown, name="close-traces", daemon=True)
        closing.start()
        closing.join(CLOSE_TIMEOUT_S)

    return Traces(Tracing(tracer, group, ratio), close)
