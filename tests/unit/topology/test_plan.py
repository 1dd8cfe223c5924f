"""What a plan holds once a topology is loaded."""

from consumer.topology.model import json_schema
from consumer.topology.plan import Batch, RetryPolicy, Timeouts
from tests.unit.topology.workshop import FILE, Workshop


def test_a_destination_has_defaults_that_fit_its_api(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)

    destinations = workshop.load().destinations

    assert destinations["stats"].batch.max_items == 1
    assert destinations["crm"].batch.max_items == 100
    assert destinations["crm"].account == "crm"
    assert destinations["crm"].rate_per_s is None
    assert destinations["crm"].adaptive
    assert not destinations["crm"].paused


def test_a_destination_has_what_its_file_says_in_seconds_and_bytes(workshop: Workshop) -> None:
    lines = [
        "account: acme",
        "ca_file: /etc/ca.pem",
        "timeouts: {connect: 500ms, total: 1m}",
        "concurrency: 5",
        "adaptive: false",
        "rate_per_s: 2.5",
        "breaker_after: 2",
        "batch: {max_items: 7, max_bytes: 64KiB, linger: 5ms}",
        "retry: {base_delay: 1s, max_delay: 1h, unclear_votes: 4, unknown_user_attempts: 5,"
        " unknown_user_delay: 2s}",
        "paused: true",
        "max_refusal_ratio: 0.25",
        "operations: {events: {max_items: 50, canonical_ids: true}}",
    ]
    old = "    credential: env:CRM_KEY\n"
    workshop.change(old, old + "".join(f"    {line}\n" for line in lines))

    plan = workshop.load()
    crm = plan.destinations["crm"]

    assert (crm.account, crm.ca_file, crm.concurrency, crm.rate_per_s) == ("acme", "/etc/ca.pem", 5, 2.5)
    assert not crm.adaptive
    assert crm.timeouts == Timeouts(connect_s=0.5, total_s=60.0)
    assert crm.batch == Batch(max_items=7, max_bytes=65_536, linger_s=0.005)
    assert crm.retry == RetryPolicy(1.0, 3_600.0, 4, 5, 2.0)
    assert (crm.paused, crm.max_refusal_ratio, crm.breaker_after) == (True, 0.25, 2)
    assert plan.routes[0].operation.max_items == 50


def test_a_topic_has_what_its_file_says(workshop: Workshop) -> None:
    workshop.change(
        "    schema: visit\n",
        "    schema: visit\n    partitions: 3\n    replication: 2\n    start: 2026-04-27T13:35:00Z\n"
        "    on_gap: earliest\n    dead_letters: graveyard\n",
    )

    topic = workshop.load().topics["visits"]

    assert (topic.partitions, topic.replication) == (3, 2)
    assert (topic.start, topic.on_gap, topic.dead_letters) == (
        "2026-04-27T13:35:00Z",
        "earliest",
        "graveyard",
    )


def test_a_topics_dead_letters_have_its_name_by_default(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)

    assert workshop.load().topics["visits"].dead_letters == "visits.dead-letters"


def test_ordering_can_be_given_up(workshop: Workshop) -> None:
    workshop.change("    to: stats\n", "    to: stats\n    ordering: none\n")

    assert [route.ordered for route in workshop.load().routes] == [True, False]


def test_the_version_is_that_of_the_content_not_of_its_layout(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)
    version = workshop.load().version

    head, _, routes = FILE.partition("routes:\n")
    workshop.write("t.yaml", "# a comment\n" + head)
    workshop.write("u.yaml", "routes:\n\n" + routes)
    assert workshop.load().version == version

    workshop.write("u.yaml", "routes:\n" + routes.replace("{const: Looked}", "{const: Seen}"))
    assert workshop.load().version != version
    assert len(version) == 12


def test_a_schema_may_lie_elsewhere(workshop: Workshop) -> None:
    workshop.change("external_id: who", "external_id: whom")
    elsewhere = workshop.folder / "schemas"
    elsewhere.mkdir()
    (workshop.folder / "visit.avsc").rename(elsewhere / "visit.avsc")

    (finding,) = workshop.findings(schemas=elsewhere)

    assert finding.endswith("have no whom; did you mean who?")


def test_without_a_schema_any_path_is_taken(workshop: Workshop) -> None:
    workshop.write(
        "t.yaml", FILE.replace("    schema: visit\n", "    on_gap: stop\n").replace("payload.page", "x.y")
    )

    assert len(workshop.load().routes) == 2


def test_hidden_files_are_an_editors_business(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)
    workshop.write(".t.yaml.swp", "\0")
    workshop.write(".old.yaml", "routes: 5\n")

    assert len(workshop.load().routes) == 2


def test_editors_get_a_json_schema_with_every_key_of_the_language() -> None:
    schema = json_schema()
    route = schema["$defs"]["RouteModel"]

    assert set(schema["properties"]) == {"topics", "destinations", "routes"}
    assert "required" not in schema, "a file may hold one section only"
    assert set(route["properties"]) == {"from", "to", "when", "drop", "map", "key", "once", "ordering"}
    assert route["additionalProperties"] is False
    assert schema["$defs"]["BatchModel"]["properties"]["linger"]["pattern"]
    forms = route["properties"]["map"]["additionalProperties"]["oneOf"]
    assert [form.get("$ref", form.get("type")) for form in forms] == [
        "string",
        "#/$defs/Constant",
        "#/$defs/Template",
        "#/$defs/Lookup",
        "#/$defs/ComputedField",
        "#/$defs/Nested",
    ]
