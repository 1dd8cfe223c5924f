"""The sampler by itself, for spans that somebody else starts with it."""

import pytest
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from consumer.telemetry.sampler import LinkSampler
from consumer.telemetry.trace_context import CHOSEN

SAMPLED = SpanContext(1, 2, True, TraceFlags(1))
UNSAMPLED = SpanContext(1, 2, True, TraceFlags(0))
LOW, HIGH = 1, 2**64 - 1  # trace ids that a ratio takes first, and last


def sampled(sampler: LinkSampler, parent: Context | None, trace_id: int, *links: SpanContext) -> bool:
    return sampler.should_sample(
        parent, trace_id, "name", links=[Link(one) for one in links]
    ).decision.is_sampled()


def under(context: SpanContext) -> Context:
    return set_span_in_context(NonRecordingSpan(context), Context())


def test_any_sampled_link_decides():
    sampler = LinkSampler(0.0)
    assert sampled(sampler, None, HIGH, UNSAMPLED, SAMPLED)
    assert not sampled(sampler, None, HIGH, UNSAMPLED)
    assert not sampled(LinkSampler(0.0, follow_links=False), None, HIGH, SAMPLED)


def test_a_child_follows_its_parent_whatever_it_links_to():
    assert sampled(LinkSampler(0.0), under(SAMPLED), HIGH)
    assert not sampled(LinkSampler(1.0), under(UNSAMPLED), LOW, SAMPLED)


def test_what_was_chosen_is_sampled():
    assert sampled(LinkSampler(0.0), CHOSEN, HIGH)


@pytest.mark.parametrize("parent", [None, Context()])
def test_the_rest_is_sampled_by_ratio(parent):
    sampler = LinkSampler(0.5)
    assert sampled(sampler, parent, LOW)
    assert not sampled(sampler, parent, HIGH)
