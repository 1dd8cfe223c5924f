"""A collector of traces that is slow, endless or not there: spans are lost, and nothing else."""

import resource
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from consumer.telemetry import trace_setup
from consumer.telemetry.trace_setup import Traces, traces_from_environment
from tests.contract.senders.receiver import Behaviour, Seen, Wire, answering
from tests.hostile.endless import dripping, pouring, resetting
from tests.hostile.endpoint import HostileEndpoint
from tests.hostile.wire_format import YES_BODY, head, page, with_length

SPANS = 3_000
CLOSE_S = 1.0
KIB = 1024


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """What goes on trying draws random numbers, and the next test may be one that no one else may draw beside."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(20.0)


def start(monkeypatch: pytest.MonkeyPatch, endpoint: str, drops: Counter[str]) -> Traces:
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        "OTEL_TRACES_SAMPLER": "always_on",
        "OTEL_BSP_MAX_QUEUE_SIZE": "600",
        "OTEL_BSP_SCHEDULE_DELAY": "10",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(trace_setup, "CLOSE_TIMEOUT_S", CLOSE_S)

    def count(reason: str, spans: int) -> None:
        drops[reason] += spans

    return traces_from_environment("group", count)


def make_spans(traces: Traces) -> float:
    """How long all of them took those who made them."""
    began_s = time.monotonic()
    for number in range(SPANS):
        span = traces.tracing.process("events", 0, number, 1, [])
        assert span is not None
        span.end()
    return time.monotonic() - began_s


async def _redirecting(wire: Wire, seen: Seen) -> None:
    await wire.write(with_length("307 Elsewhere", b"", f"Location: http://{seen.headers['host']}/elsewhere"))


HOSTILE: Mapping[str, Behaviour] = {
    "silent": dripping(b"", b""),
    "head byte by byte": dripping(b"", head("HTTP/1.1 200 OK", "X-Filler: " + "y" * 9_000)),
    "endless body": pouring(head("HTTP/1.1 200 OK"), b" " * 65536),
    "endless error": pouring(head("HTTP/1.1 503 Sorry", "Retry-After: 1000000"), b" " * 65536),
    "endless header": pouring(b"HTTP/1.1 200 OK\r\nX-Filler: ", b"y" * 4096),
    "reset": resetting(b"HTTP/1.1 20"),
    "unavailable": answering(page("503 Sorry")),
    "redirects": _redirecting,
}


@pytest.mark.parametrize("behave", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_collector_costs_spans_at_most(monkeypatch: pytest.MonkeyPatch, behave: Behaviour) -> None:
    """Making spans does not wait for it, memory does not grow with what it sends, and the end comes in time."""
    drops: Counter[str] = Counter()
    with HostileEndpoint(behave) as collector:
        traces = start(monkeypatch, collector.base_url, drops)
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        took_s = make_spans(traces)
        time.sleep(0.3)  # what it pours in the meantime would be gigabytes a minute
        began_s = time.monotonic()
        traces.close()
        closed_s = time.monotonic() - began_s

        assert took_s < 5.0 or drops["queue_full"], "what waits for the collector drops nothing"
        assert closed_s < CLOSE_S + 8.0
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 60 * KIB
        assert {seen.target for seen in collector.seen} <= {"/v1/traces"}, "no redirect is followed"
        assert set(drops) <= {"queue_full", "export_failed"}


def test_spans_that_a_collector_takes_arrive_however_its_answer_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the head of an answer counts, so a body that never ends is not waited for."""
    drops: Counter[str] = Counter()
    with HostileEndpoint(dripping(head("HTTP/1.1 200 OK", "Content-Length: 50000"), YES_BODY)) as collector:
        traces = start(monkeypatch, collector.base_url, drops)
        for number in range(3):
            span = traces.tracing.process("events", 0, number, 1, [])
            assert span is not None
            span.end()
            time.sleep(0.1)
        traces.close()

        assert drops == {}
        assert len(collector.seen) >= 1
