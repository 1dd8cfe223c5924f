"""Spans that are lost on their way to the collector, counted: the SDK only logs them."""

import threading
from collections.abc import Callable, Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

OnDrop = Callable[[str, int], None]
"""Called with a reason (queue_full, export_failed) and a count, from any thread."""


class CountingExporter(SpanExporter):
    """Passes spans on; counts those that it took, and those whose export failed."""

    def __init__(self, inner: SpanExporter, on_drop: OnDrop) -> None:
        self._inner = inner
        self._on_drop = on_drop
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Blocks on the collector, in the processor's thread."""
        self.taken += len(spans)
        try:
            result = self._inner.export(spans)
        except Exception:
            self._on_drop("export_failed", len(spans))
            raise
        if result is not SpanExportResult.SUCCESS:
            self._on_drop("export_failed", len(spans))
        return result

    def shutdown(self) -> None:
        """As the inner one does."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """As the inner one does."""
        return self._inner.force_flush(timeout_millis)


class CountingProcessor(BatchSpanProcessor):
    """The SDK's, which drops the oldest span when its queue is full.

    What waits is what ended minus what the exporter took; a span that ends while `max_queue_size` wait drops
    one. A batch just taken from the queue may be counted as waiting for an instant, so the count can be a few
    too high.
    """

    def __init__(self, exporter: CountingExporter, max_queue_size: int, on_drop: OnDrop) -> None:
        super().__init__(exporter, max_queue_size=max_queue_size)
        self._taking = exporter
        self._most = max_queue_size
        self._count_drop = on_drop
        self._lock = threading.Lock()
        self._ended = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Queues the span; never blocks."""
        if span.context is not None and span.context.trace_flags.sampled:
            with self._lock:
                if self._ended - self._taking.taken >= self._most:
                    self._count_drop("queue_full", 1)
                else:
                    self._ended += 1
        super().on_end(span)
