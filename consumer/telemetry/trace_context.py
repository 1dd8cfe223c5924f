"""W3C trace context in records' headers: read only where the producer sampled.

Source: W3C Trace Context, level 2, sections "traceparent Header" and "tracestate Header".
"""

import re

from opentelemetry.context import Context, create_key
from opentelemetry.trace import INVALID_SPAN_ID, INVALID_TRACE_ID, SpanContext, TraceFlags
from opentelemetry.trace.span import TraceState

from consumer.types import Headers

CHOSEN = Context({create_key("chosen"): True})
"""As the context of a root span: it was chosen before, so no ratio is applied to it again."""

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"

_FORM = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_LENGTH = 55
_MAX_STATE_BYTES = 512
_ODD = b"13579bdf"  # the last digit of flags that have the sampled bit


def sampled_context(headers: Headers) -> SpanContext | None:
    """The producer's context where it sampled the trace, else None: also for what is malformed. Never raises.

    Parsing a context takes microseconds, and most are not sampled: so one byte is looked at first.
    """
    for name, raw in headers:
        if name == TRACEPARENT:
            if raw is None or len(raw) < _LENGTH or raw[_LENGTH - 1] not in _ODD:
                return None
            return _parse(raw, headers)
    return None


def traceparent(context: SpanContext) -> str:
    """The header's value for a context."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _parse(raw: bytes, headers: Headers) -> SpanContext | None:
    match = _FORM.fullmatch(raw)
    if match is None:
        return None
    version, trace, span, flags, rest = match.groups()
    trace_id, span_id = int(trace, 16), int(span, 16)
    # Version 00 ends here; later ones may go on; ff is never valid.
    if version == b"ff" or (version == b"00" and rest is not None):
        return None
    if trace_id == INVALID_TRACE_ID or span_id == INVALID_SPAN_ID:
        return None
    return SpanContext(trace_id, span_id, True, TraceFlags(int(flags, 16)), _state(headers))


def _state(headers: Headers) -> TraceState | None:
    values = [raw.decode("ascii", "replace") for name, raw in headers if name == TRACESTATE and raw]
    if not values or sum(map(len, values)) > _MAX_STATE_BYTES:
        return None
    return TraceState.from_header(values)
