"""The histogram of every request shows what the client library's own one would show."""

import prometheus_client
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from consumer.telemetry.histogram import Histogram

BOUNDS = (0.005, 0.1, 1.0, 10.0)


def scraped(registry: CollectorRegistry) -> list[tuple[str, dict[str, str], float]]:
    """All samples as Prometheus' own parser reads them."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    samples = [sample for family in families for sample in family.samples]
    return [(one.name, one.labels, one.value) for one in samples if not one.name.endswith("_created")]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from((0.0, *BOUNDS)) | st.floats(0.0, 20.0))))
def test_it_is_exposed_as_the_librarys_own(values):
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    histogram = Histogram("waits", "What one waits.", ("who",), BOUNDS)
    ours.register(histogram)
    reference = prometheus_client.Histogram(
        "waits", "What one waits.", ("who",), buckets=BOUNDS, registry=theirs
    )
    for who, value in values:
        histogram.labels(who)(value)
        reference.labels(who).observe(value)
    assert scraped(ours) == scraped(theirs)
