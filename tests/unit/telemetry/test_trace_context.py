"""Which producers' contexts are taken from a record's headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import SpanContext

from consumer.telemetry.trace_context import sampled_context, traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{SPAN}-01".encode()


def context_of(raw: bytes | None) -> SpanContext | None:
    return sampled_context([("other", b"x"), ("traceparent", raw)])


def test_a_sampled_context_is_taken_as_it_is():
    context = context_of(SAMPLED)
    assert context is not None
    assert (f"{context.trace_id:032x}", f"{context.span_id:016x}") == (TRACE, SPAN)
    assert context.is_remote
    assert traceparent(context).encode() == SAMPLED


def test_the_vendors_state_comes_with_it():
    context = sampled_context([("tracestate", b"vendor=abc"), ("traceparent", SAMPLED)])
    assert context is not None
    assert context.trace_state.get("vendor") == "abc"


@pytest.mark.parametrize("flags", [b"00", b"02", b"0a", b"fe"])
def test_what_the_producer_did_not_sample_is_not_linked(flags):
    assert context_of(SAMPLED[:-2] + flags) is None


@pytest.mark.parametrize("flags", [b"01", b"03", b"ff"])
def test_other_flags_beside_the_sampled_one_do_not_matter(flags):
    assert context_of(SAMPLED[:-2] + flags) is not None


@pytest.mark.parametrize(
    "raw",
    [
        None,
        b"",
        b"01",
        SAMPLED[:-1],
        SAMPLED + b"-more",
        SAMPLED + b"x",
        b"ff" + SAMPLED[2:],
        SAMPLED.upper(),
        b"00-" + b"0" * 32 + f"-{SPAN}-01".encode(),
        f"00-{TRACE}-".encode() + b"0" * 16 + b"-01",
        SAMPLED.replace(b"-", b"_"),
        b"00-+" + SAMPLED[4:],
        b"\xff" * 54 + b"1",
    ],
)
def test_what_is_malformed_is_no_context(raw):
    assert context_of(raw) is None


def test_a_later_version_may_say_more():
    assert context_of(b"01" + SAMPLED[2:] + b"-whatever") is not None
    assert context_of(b"01" + SAMPLED[2:] + b"whatever") is None


@given(st.binary(max_size=80), st.binary(max_size=600))
def test_no_header_raises(parent, state):
    sampled_context([("traceparent", parent), ("tracestate", state), ("x", None)])
    assert sampled_context([("traceparent", SAMPLED), ("tracestate", state)]) is not None
