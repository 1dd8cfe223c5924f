"""Which spans are sampled: whatever a sampled trace links to, and a share of the rest."""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

from consumer.telemetry.trace_context import CHOSEN


class LinkSampler(Sampler):
    """A child follows its parent. A root is sampled if chosen, or if a linked context is, or by ratio.

    The SDK's samplers ignore links, which is how a batch is tied to its records: their traces would break off
    here.
    """

    def __init__(self, ratio: float, *, follow_links: bool = True) -> None:
        """`ratio`: the share of roots that are sampled without a reason, 0 to 1."""
        self._by_ratio = TraceIdRatioBased(ratio)
        self._ratio = ratio
        self._follow_links = follow_links

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes | None = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """The SDK asks at each start of a span."""
        parent = get_current_span(parent_context).get_span_context() if parent_context else None
        if parent is not None and parent.is_valid:
            return _result(parent.trace_flags.sampled, attributes, parent.trace_state)
        if parent_context == CHOSEN:
            return _result(True, attributes, None)
        if self._follow_links and any(link.context.trace_flags.sampled for link in links or ()):
            return _result(True, attributes, None)
        return self._by_ratio.should_sample(None, trace_id, name, kind, attributes, links)

    def get_description(self) -> str:
        """For the SDK's own texts."""
        return f"LinkSampler{{ratio={self._ratio},links={self._follow_links}}}"


def _result(sampled: bool, attributes: Attributes | None, state: TraceState | None) -> SamplingResult:
    decision = Decision.RECORD_AND_SAMPLE if sampled else Decision.DROP
    return SamplingResult(decision, attributes if sampled else None, state)
