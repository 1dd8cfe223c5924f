"""All mistakes of all files come in one run, each one message with file, line and key."""

from pathlib import Path

import pytest

from tests.unit.topology.workshop import FILE, Workshop, line_of

CHANGED = [
    (
        "schema: visit",
        "schema: vist",
        "topics.visits.schema",
        "there is no vist.avsc; did you mean visit?",
    ),
    (
        "schema: visit",
        "schema: visit\n    on_gaps: stop",
        "topics.visits.on_gaps",
        "unknown key; did you mean on_gap?",
    ),
    (
        "schema: visit",
        "partitions: twelve",
        "topics.visits.partitions",
        "must be a whole number",
    ),
    (
        "schema: visit",
        "partitions: 0",
        "topics.visits.partitions",
        "must be at least 1",
    ),
    (
        "schema: visit",
        "on_gap: skip",
        "topics.visits.on_gap",
        "must be stop or earliest",
    ),
    (
        "schema: visit",
        "start: yesterday",
        "topics.visits.start",
        "must be earliest, latest or a time with its zone such as 2026-04-27T13:35:00Z",
    ),
    (
        "schema: visit",
        "start: 2026-04-27T13:35:00",
        "topics.visits.start",
        "must be earliest, latest or a time with its zone such as 2026-04-27T13:35:00Z",
    ),
    (
        "schema: visit",
        "dead_letters: visits",
        "topics.visits.dead_letters",
        "visits is itself read: its letters would come round for ever",
    ),
    (
        "    schema: visit\n",
        "    schema: visit\n  'vi sits': {}\n",
        "topics.vi sits",
        "the name of a topic must be up to 249 letters, digits, '.', '_' and '-'",
    ),
]


@pytest.mark.parametrize(("old", "new", "key", "text"), CHANGED)
def test_a_mistake_is_one_message_that_names_file_line_and_key(
    workshop: Workshop, old: str, new: str, key: str, text: str
) -> None:
    workshop.change(old, new)

    assert workshop.mistake() == (key, text)


def test_the_line_is_that_of_the_mistaken_key(workshop: Workshop) -> None:
    changed = FILE.replace("page: payload.page", "page: payload.pge").replace("to: stats", "to: stat")
    workshop.write("t.yaml", changed)

    first, second = workshop.findings()

    assert first.startswith(f"t.yaml:{line_of(changed, 'payload.pge')}: ")
    assert second.startswith(f"t.yaml:{line_of(changed, 'to: stat')}: ")


def test_a_missing_key_is_reported_where_it_should_stand(workshop: Workshop) -> None:
    workshop.change("    to: stats\n", "")

    (finding,) = workshop.findings()

    assert finding == f"t.yaml:{line_of(FILE, '  bought:')}: routes.bought.to: is required"


def test_mistakes_of_all_kinds_and_files_come_in_one_run(workshop: Workshop) -> None:
    workshop.write(
        "a.yaml", FILE.replace("when: {type: Looked}", "wen: {type: Looked}").replace("to: stats", "to: stat")
    )
    workshop.write(
        "b.yaml", "destinations:\n  third: {api: distinct, base_url: https://x.example, credential: abc}\n"
    )

    findings = workshop.findings()

    assert [finding.partition(": ")[2].partition(": ")[0] for finding in findings] == [
        "routes.looked.wen",
        "routes.bought.to",
        "destinations.third.credential",
    ]


def test_a_route_to_a_mistaken_destination_is_not_blamed_for_it(workshop: Workshop) -> None:
    workshop.change("    api: distinct\n", "    api: distinct\n    concurency: 5\n")

    (finding,) = workshop.findings()

    assert finding.endswith("destinations.stats.concurency: unknown key; did you mean concurrency?")


def test_a_name_that_two_files_define_is_refused_with_both_places(workshop: Workshop) -> None:
    workshop.write("a.yaml", FILE)
    workshop.write(
        "b.yaml",
        "routes:\n  looked: {from: visits, to: crm/events, map: {name: {const: A}, external_id: who}}\n",
    )

    (finding,) = workshop.findings()

    assert (
        finding == f"b.yaml:2: routes.looked: is defined twice, first at a.yaml:{line_of(FILE, '  looked:')}"
    )


def test_a_directory_that_is_not_there_or_empty_is_said_so(workshop: Workshop, tmp_path: Path) -> None:
    assert workshop.findings() == [f"{tmp_path}: holds no *.yaml file"]

    workshop.folder = tmp_path / "nowhere"
    assert workshop.findings() == [f"{workshop.folder}: there is no such directory of topology files"]


def test_a_file_that_would_be_overlooked_is_refused(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)
    workshop.write("more.yml", "routes: {}\n")

    assert workshop.findings() == ["more.yml: would not be read: name it more.yaml"]


def test_a_section_of_the_wrong_kind_is_refused(workshop: Workshop) -> None:
    workshop.write("a.yaml", FILE)
    workshop.write("b.yaml", "routes: [looked]\n")

    assert workshop.findings() == ["b.yaml:1: routes: must be a mapping of names"]


def test_an_unknown_section_is_refused(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE + "route: {}\n")

    assert workshop.findings() == [
        f"t.yaml:{len(FILE.splitlines()) + 1}: route: unknown key; did you mean routes?"
    ]


def test_a_missing_section_is_named(workshop: Workshop) -> None:
    workshop.write("t.yaml", "topics:" + FILE.partition("topics:")[2].partition("destinations:")[0])

    findings = workshop.findings()

    assert f"{workshop.folder}: destinations: is required" in findings
    assert f"{workshop.folder}: routes: is required" in findings


def test_a_schema_that_is_none_is_refused(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)
    workshop.write("visit.avsc", '{"type": "enum"')

    assert workshop.findings() == [
        "t.yaml:3: topics.visits.schema: visit.avsc is not JSON: line 1, column 16: Expecting ',' delimiter"
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"type": "record"}', "is JSON, and no Avro schema"),
        (b'{"type": "record", "name": "Visit"}', "is JSON, and no Avro schema"),
        (b'{"type": "record", "name": "Visit", "fields": [{"name": "id"}]}', "is JSON, and no Avro schema"),
        (
            b'{"type": "record", "name": "Visit", "fields": [{"name": "ids", "type": {"type": "array"}}]}',
            "is JSON, and no Avro schema",
        ),
        (b'{"type": "record", "name": ["Visit"], "fields": []}', "is JSON, and no Avro schema"),
        (b"[" * 100_000, "is nested too deep"),
        (b'"string"', "is no record schema"),
        (b"\xff", "is not UTF-8 text"),
    ],
)
def test_a_schema_that_is_none_says_what_it_is(workshop: Workshop, content: bytes, why: str) -> None:
    workshop.write("t.yaml", FILE)
    (workshop.folder / "visit.avsc").write_bytes(content)

    (finding,) = workshop.findings()

    assert f"topics.visits.schema: visit.avsc {why}" in finding


def test_where_there_is_no_schema_at_all_the_folders_are_named(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)
    (workshop.folder / "visit.avsc").unlink()

    (finding,) = workshop.findings()

    assert "there is no visit.avsc: no *.avsc file is in " in finding


def test_a_topic_that_no_route_is_from_is_refused(workshop: Workshop) -> None:
    """Its records would be read, passed over and committed: lost, although nobody meant it."""
    workshop.change("    schema: visit\n", "    schema: visit\n  calls: {}\n")
    message = "topics.calls: no route is from this topic: all of its records would be passed over"
    assert workshop.findings() == [f"t.yaml:4: {message}"]

    workshop.write("t.yaml", (workshop.folder / "t.yaml").read_text().replace("to: stats", "too: stats"))
    assert message not in "".join(workshop.findings()), "the mistaken route may be the one"
