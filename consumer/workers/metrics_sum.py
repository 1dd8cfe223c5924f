"""The metrics of several workers as those of one instance.

Names and labels are those of a single process, so that its dashboards and alerts hold for any number of workers. What
only a process can have (memory, processor time, garbage collection) has the label `worker` instead.

A counter of the sum must not fall: Prometheus reads that as a reset, and `rate()` would count everything again. So
what a worker had counted stays in the sum when it has ended.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from consumer.telemetry.state import PREFIX

_COUNTED = ("counter", "histogram")
_OF_A_PROCESS = ("process_", "python_")

ADDED = frozenset(
    PREFIX + name
    for name in (
        "records_in_flight",
        "deliveries_in_flight",
        "deliveries_in_doubt",
        "requests_in_flight",
        "concurrency_limit",
        "partitions_assigned",
        "partitions_paused",
        "pending_records",
        "pending_bytes",
        "pending_limit_records",
        "pending_limit_bytes",
        "stuck_lanes",
    )
)
"""Gauges that say how much: together it is so much."""

LEAST = frozenset({PREFIX + "ledger_up"})
"""Gauges whose 1 is good: one worker's 0 is the news."""

FARTHEST = frozenset({PREFIX + "books_difference"})
"""Gauges of which anything but 0 is an alarm: +1 and -1 must not become 0."""

MOST = frozenset(
    PREFIX + name
    for name in (
        "destination_halted",
        "destination_paused",
        "decoding_halted",
        "dead_letters_unwritable",
        "stalled",
        "partition_stuck",
        "lag_records",
        "lag_seconds",
        "partition_unsettled_records",
        "topology_info",
        "info",
    )
)
"""Gauges whose 1 is the news, and those of a partition: it has one owner, and two tell of it while it changes hands."""


def read_metrics(text: str) -> list[Metric]:
    """The families of a scrape."""
    return list(text_string_to_metric_families(text))


def counted(families: Iterable[Metric]) -> list[Metric]:
    """What stays in the sum when a worker has ended."""
    return [one for one in families if one.type in _COUNTED and not one.name.startswith(_OF_A_PROCESS)]


def add_up(by_worker: Mapping[str, Iterable[Metric]], past: Iterable[Metric] = ()) -> list[Metric]:
    """One family a name. `past`: `counted` of workers that have ended."""
    out: dict[str, Metric] = {}
    sums: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], Sample]] = {}
    for worker, families in [*by_worker.items(), ("", past)]:
        for family in families:
            into = out.get(family.name)
            if into is None:
                into = out[family.name] = Metric(family.name, family.documentation, family.type)
            if family.name.startswith(_OF_A_PROCESS):
                into.samples += [_labelled(sample, worker) for sample in family.samples]
            else:
                _merge(sums.setdefault(family.name, {}), family, _sense(family))
    for name, samples in sums.items():
        out[name].samples = list(samples.values())
    return list(out.values())


def render(families: Sequence[Metric], accept: str) -> tuple[str, bytes]:
    """(content type, text) in the format that the scraper asks for in its Accept header."""
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry()
    registry.register(_Given(families))
    return content_type, encode(registry)


class _Given(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _labelled(sample: Sample, worker: str) -> Sample:
    return sample._replace(labels={"worker": worker, **sample.labels})


def _merge(
    into: dict[tuple[str, tuple[tuple[str, str], ...]], Sample],
    family: Metric,
    sense: Callable[[float, float], float],
) -> None:
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        known = into.get(key)
        value = sample.value if known is None else sense(known.value, sample.value)
        into[key] = sample._replace(value=value)


def _sense(family: Metric) -> Callable[[float, float], float]:
    if family.type in _COUNTED or family.name in ADDED:
        return float.__add__
    if family.name in LEAST:
        return min
    if family.name in FARTHEST:
        return _farthest
    return max


def _farthest(one: float, other: float) -> float:
    return max(one, other, key=abs)
