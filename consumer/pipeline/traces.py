"""From the producer's context to the spans of a chunk, and on to its commit."""

from collections.abc import Mapping, Sequence

from consumer.telemetry.spans import ProcessSpan, Tracing
from consumer.types import Record, TopicPartition

_NONE: Mapping[int, "ChunkTrace"] = {}


class ChunkTrace:
    """The `process` span of a chunk, for as long as one of its traced records is open."""

    __slots__ = ("_open", "span")

    def __init__(self, span: ProcessSpan, records: int) -> None:
        self.span = span
        self._open = records

    def one_done(self, error_type: str | None = None) -> None:
        """One of its traced records ended."""
        self._open -= 1
        if not self._open:
            self.span.end(error_type)


def trace_chunk(
    tracing: Tracing, partition: TopicPartition, first: int, records: Sequence[Record], topology: str
) -> Mapping[int, ChunkTrace]:
    """The traced records of a chunk, by number (`first` is the first one's): normally none. `topology`: the version
    that they are mapped by.

    Traced are the records whose producer was sampled, or all of a chunk that the ratio chose: so a chunk
    costs a span where it must, and a record nothing.
    """
    linked = [
        (number, context)
        for number, record in enumerate(records, first)
        if record.headers and (context := tracing.sampled_context(record.headers)) is not None
    ]
    span = tracing.process(
        partition.topic,
        partition.partition,
        records[0].offset,
        len(records),
        [context for _, context in linked],
        topology,
    )
    if span is None:
        return _NONE
    numbers = [number for number, _ in linked] or range(first, first + len(records))
    trace = ChunkTrace(span, len(numbers))
    return dict.fromkeys(numbers, trace)
