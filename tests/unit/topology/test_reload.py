"""What of a topology can be exchanged while records are in flight."""

import pytest

from consumer.topology.reload import needs_restart
from tests.unit.topology.workshop import FILE, Workshop


def reasons(workshop: Workshop, old: str, new: str) -> list[str]:
    """Why the usual topology cannot become the one with this change."""
    workshop.write("t.yaml", FILE)
    before = workshop.load()
    workshop.change(old, new)
    return needs_restart(before, workshop.load(), 30.0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("page: payload.page", "page: id"),
        ("{const: Looked}", "{const: Seen}"),
        ("https://crm.example", "https://other.example"),
        ("credential: env:CRM_KEY", "credential: env:STATS_KEY"),
        ("api: client_api", "api: client_api\n    paused: true\n    concurrency: 5\n    rate_per_s: 3"),
        ("schema: visit", "schema: visit\n    partitions: 3"),
        ("  looked:\n", "  seen:\n"),
    ],
)
def test_routes_and_destinations_can_be_exchanged(workshop: Workshop, old: str, new: str) -> None:
    assert reasons(workshop, old, new) == []


def test_a_destination_may_come_or_go(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)
    whole = workshop.load()
    without = FILE.partition("  bought:")[0].replace(
        FILE[FILE.index("  stats:\n") : FILE.index("routes:\n")], ""
    )
    workshop.write("t.yaml", without)
    less = workshop.load()

    assert set(less.destinations) == {"crm"}
    assert needs_restart(whole, less, 30.0) == []
    assert needs_restart(less, whole, 30.0) == []


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "schema: visit",
            "schema: visit\n    start: latest",
            "topics.visits.start: can't be changed while it runs",
        ),
        ("schema: visit", "schema: visit\n    on_gap: earliest", "topics.visits.on_gap: can't be changed"),
        (
            "schema: visit",
            "schema: visit\n    dead_letters: grave",
            "topics.visits.dead_letters: can't be changed",
        ),
        (
            "schema: visit",
            "schema: visit\n    user: who",
            "topics.visits.user: can't be changed while it runs",
        ),
        (
            "api: client_api",
            "api: client_api\n    timeouts: {total: 1m}",
            "destinations.crm.timeouts.total: at most 30s while it runs",
        ),
    ],
)
def test_what_was_acted_on_at_the_start_needs_a_restart(
    workshop: Workshop, old: str, new: str, reason: str
) -> None:
    (said,) = reasons(workshop, old, new)

    assert said.startswith(reason)


def test_other_topics_need_a_restart(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)
    before = workshop.load()
    workshop.write("t.yaml", FILE.replace("visits", "calls"))

    assert needs_restart(before, workshop.load(), 30.0) == [
        "topics.calls: is new: topics are subscribed to at the start",
        "topics.visits: is read, and not in the topology any more: it stays as it was until a restart",
    ]
