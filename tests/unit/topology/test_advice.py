"""What `check` says of a sound topology: what is deprecated, and what a migration can't take along."""

from pathlib import Path

import pytest

from tests.unit.topology.workshop import Workshop

DESTINATION = """\
topics:
  visits:
    user: who
destinations:
  capture:
    api: distinct_capture
    base_url: https://stats.example
    credential: env:STATS_KEY
"""
ROUTE = """\
  {name}:
    from: visits
    to: capture
    when: {{type: Captured{where}}}
    map:
      experienceValue: payload.experience
      type: payload.type
      eventValue: payload.event
      recordCapturedAt: occurred_at
      email: payload.email?
      sessionId: payload.session?
      registrationPageValue: payload.page?
"""
MIGRATE = "    operations: {capture: {migrate: true, experiences: {fifa: 47Gop5, uefa: 47Gop6}}}\n"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def notes(workshop: Workshop, *routes: str, options: str = "") -> list[str]:
    workshop.write("t.yaml", DESTINATION + options + "routes:\n" + "".join(routes))
    return list(workshop.load().notes)


def route(name: str, *conditions: str) -> str:
    where = f", where: [{', '.join(conditions)}]" if conditions else ""
    return ROUTE.format(name=name, where=where)


def test_a_deprecated_api_is_noted_once_with_all_routes_to_it(workshop: Workshop) -> None:
    (note,) = notes(workshop, route("first"), route("second"))

    assert note.startswith("first, second: Capture Analytics is deprecated")
    assert "operations.capture.migrate" in note


def test_what_cannot_be_migrated_is_named(workshop: Workshop) -> None:
    said = notes(workshop, route("all"), options=MIGRATE)

    assert [note.split()[1] for note in said] == ["PHOTO_ASSIGNED_TO_USER", "REGISTRATION_PAGE_VISIT", "only"]
    assert said[-1].endswith("others become dead letters: fifa, uefa")


def test_what_the_routes_conditions_shut_out_is_not_named(workshop: Workshop) -> None:
    viewed = route(
        "viewed",
        "{path: payload.type, in: [PHOTO_VIEWED_BY_USER, PHOTO_DOWNLOADED_BY_USER]}",
        "{path: payload.experience, equals: fifa}",
    )

    assert notes(workshop, viewed, options=MIGRATE) == []


def test_an_experience_that_a_route_asks_for_and_the_table_lacks_is_named(workshop: Workshop) -> None:
    one = route(
        "one",
        "{path: payload.type, equals: PHOTO_VIEWED_BY_USER}",
        "{path: payload.experience, in: [fifa, caf, ofc]}",
        "{path: payload.experience, in: [fifa, caf]}",
    )

    assert notes(workshop, one, options=MIGRATE) == [
        "one: experience caf can't be migrated and becomes a dead letter: it is not in the table experiences"
    ]


def test_conditions_without_case_prove_nothing(workshop: Workshop) -> None:
    one = route("one", "{path: payload.type, equals: photo_viewed_by_user, ignore_case: true}")

    assert any("PHOTO_ASSIGNED_TO_USER" in note for note in notes(workshop, one, options=MIGRATE))


def test_a_constant_that_can_never_be_migrated_is_a_mistake(workshop: Workshop) -> None:
    constant = route("one").replace("experienceValue: payload.experience", "experienceValue: {const: caf}")
    constant = constant.replace("type: payload.type", "type: {const: PHOTO_VIEWED_BY_USER}")
    workshop.write("t.yaml", DESTINATION + MIGRATE + "routes:\n" + constant)

    (finding,) = workshop.findings()
    assert finding.endswith(
        "routes.one.map.experienceValue: capture would refuse every item: has no experienceId in the table "
        "experiences"
    )


def test_a_switch_without_a_table_is_a_mistake(workshop: Workshop) -> None:
    workshop.write(
        "t.yaml", DESTINATION + "    operations: {capture: {migrate: true}}\nroutes:\n" + route("one")
    )

    (finding,) = workshop.findings()
    assert "destinations.capture.operations.capture: migrate needs experiences" in finding


def test_a_topology_without_such_a_destination_has_no_notes(workshop: Workshop) -> None:
    workshop.change("to: stats", "to: stats")

    assert workshop.load().notes == ()


def test_a_computed_condition_leaves_open_what_a_field_can_be(workshop: Workshop) -> None:
    condition = "{cel: 'size(kind) > 3', with: {kind: payload.type}}"

    said = notes(workshop, route("all"), options=MIGRATE)
    computed = notes(workshop, route("all", condition), options=MIGRATE)

    assert computed == said
