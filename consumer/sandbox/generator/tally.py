"""Counts what the broker acknowledged."""

from collections import Counter
from collections.abc import Callable

from confluent_kafka import KafkaError, Message

from consumer.sandbox.generator.backlog import Backlog
from consumer.sandbox.generator.kind import Kind
from consumer.sandbox.generator.produced import Produced

Report = Callable[[KafkaError | None, Message], None]


class Tally:
    """Gives out the delivery callbacks, which run inside `poll` and `flush`, and adds up what they hear."""

    def __init__(self, backlog: Backlog | None) -> None:
        self._backlog = backlog
        self._counts: Counter[tuple[Kind, str]] = Counter()
        self._reports: dict[tuple[Kind, str], Report] = {}
        self._value_bytes = 0
        self.acknowledged = 0
        self.failed = 0
        self.first_error: KafkaError | None = None

    def report(self, kind: Kind, payload: str) -> Report:
        """The callback for a record of this kind: one for all of them, so that a record costs no object."""
        report = self._reports.get((kind, payload))
        if report is None:
            report = self._reports[kind, payload] = self._new_report((kind, payload))
        return report

    def produced(self, seed: int, seconds: float) -> Produced:
        """What was counted up to now."""
        by_kind: Counter[Kind] = Counter()
        by_payload: Counter[str] = Counter()
        for (kind, payload), count in self._counts.items():
            by_kind[kind] += count
            if payload:
                by_payload[payload] += count
        return Produced(seed, dict(by_kind), dict(by_payload), self._value_bytes, seconds)

    def _new_report(self, key: tuple[Kind, str]) -> Report:
        counts, backlog = self._counts, self._backlog

        def report(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self.failed += 1
                self.first_error = self.first_error or error
                return
            size_bytes = len(message)
            counts[key] += 1
            self.acknowledged += 1
            self._value_bytes += size_bytes
            if backlog is not None:
                backlog.add(message.partition() or 0, message.offset() or 0, size_bytes)

        return report
