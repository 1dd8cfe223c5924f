"""One destination alone: what does not lead to it does not exist."""

from consumer.topology.isolate import group_of
from consumer.topology.plan import Matched
from tests.unit.topology.workshop import FILE, Workshop, routed, visit


def test_only_the_routes_to_it_and_their_topics_are_there(workshop: Workshop) -> None:
    text = FILE.replace("  visits:\n", "  calls: {}\n  visits:\n").replace(
        "    from: visits\n    to: crm", "    from: calls\n    to: crm"
    )
    workshop.write("t.yaml", text)
    whole, alone = workshop.load(), workshop.load(only="stats")

    assert set(whole.topics) == {"visits", "calls"}
    assert set(alone.topics) == {"visits"}
    assert set(alone.destinations) == {"stats"}
    assert [route.id for route in alone.routes] == ["bought"]
    assert alone.version == whole.version


def test_other_destinations_deliveries_do_not_exist(workshop: Workshop) -> None:
    workshop.change("when: {type: Bought}", "when: {type: [Bought, Looked]}")

    assert len(routed(workshop.load(), visit("Looked"))) == 2
    (answer,) = routed(workshop.load(only="stats"), visit("Looked"))
    assert isinstance(answer, Matched)
    assert answer.route.destination == "stats"


def test_keys_are_those_of_the_whole_topology(workshop: Workshop) -> None:
    """So a shared ledger knows what was delivered before a destination got a group of its own."""
    workshop.write("t.yaml", FILE)

    (whole,) = routed(workshop.load(), visit("Bought"))
    (alone,) = routed(workshop.load(only="stats"), visit("Bought"))

    assert isinstance(whole, Matched)
    assert isinstance(alone, Matched)
    assert whole.key == alone.key


def test_a_destination_that_is_not_there_is_named_with_the_nearest(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)

    (finding,) = workshop.findings(only="stat")

    assert finding.endswith(": there is no destination stat; did you mean stats?")


def test_a_destination_that_no_route_leads_to_has_nothing_to_do(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE.partition("  bought:")[0])

    (finding,) = workshop.findings(only="stats")

    assert finding.endswith(": no route leads to stats: there would be nothing to do")


def test_its_mistakes_are_those_of_the_whole_topology(workshop: Workshop) -> None:
    workshop.change("to: crm/events", "to: crn/events")

    (finding,) = workshop.findings(only="stats")

    assert "there is no destination crn" in finding


def test_the_group_is_named_after_the_destination() -> None:
    assert group_of("distinct-consumer", "client") == "distinct-consumer.client"
