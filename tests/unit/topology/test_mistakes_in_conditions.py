"""What a route asks of records: conditions, windows and paths, and what can be wrong about them."""

import pytest

from tests.unit.topology.workshop import Workshop

CHANGED = [
    (
        "    when: {type: Looked}",
        "    wen: {type: Looked}",
        "routes.looked.wen",
        "unknown key; did you mean when?",
    ),
    (
        "{type: Looked}",
        "{types: Looked}",
        "routes.looked.when.types",
        "unknown key; did you mean type?",
    ),
    (
        "{type: Looked}",
        "{type: 5}",
        "routes.looked.when.type",
        "must be text",
    ),
    (
        "{type: Looked}",
        "Looked",
        "routes.looked.when",
        "must be a mapping",
    ),
    (
        "{type: Looked}",
        "{}",
        "routes.looked.when",
        "says nothing: give it type, where or unless, or leave it out",
    ),
    (
        "{type: Looked}",
        "{where: {path: who}}",
        "routes.looked.when.where",
        "needs exactly one of equals, in, exists, matches, user_agent beside path",
    ),
    (
        "{type: Looked}",
        "{where: {path: who, equals: a, exists: true}}",
        "routes.looked.when.where",
        "needs exactly one of equals, in, exists, matches, user_agent beside path",
    ),
    (
        "{type: Looked}",
        "{where: {path: who, equals: [a]}}",
        "routes.looked.when.where.equals",
        "must be text, a number, true or false",
    ),
    (
        "{type: Looked}",
        "{where: {path: who, equals: 5, ignore_case: true}}",
        "routes.looked.when.where",
        "ignore_case needs equals or in, with texts only",
    ),
    (
        "{type: Looked}",
        '{where: {path: who, matches: "(a"}}',
        "routes.looked.when.where.matches",
        "is not a regular expression: missing ), unterminated subpattern",
    ),
    (
        "{type: Looked}",
        "{where: {path: who, user_agent: people}}",
        "routes.looked.when.where.user_agent",
        "must be bots",
    ),
    (
        "page: payload.page",
        "page: payload.pge",
        "routes.looked.map.data.object.page",
        "records of type Looked have no payload.pge; did you mean page?",
    ),
    (
        "external_id: who",
        "external_id: whom",
        "routes.looked.map.external_id",
        "records of type Looked have no whom; did you mean who?",
    ),
    (
        "page: payload.page",
        "page: payload.price",
        "routes.looked.map.data.object.page",
        "records of type Looked have no payload.price; known here: at, page, tags",
    ),
    (
        "page: payload.page",
        "page: id.part",
        "routes.looked.map.data.object.page",
        "records of type Looked have no id.part",
    ),
    (
        "    when: {type: Looked}\n",
        "",
        "routes.looked.map.data.object.page",
        "records of type Bought have no payload.page; known here: price",
    ),
    (
        "{type: Looked}",
        "{type: Loked}",
        "routes.looked.when.type",
        "the schema has no record Loked there; did you mean Looked?",
    ),
    (
        "{type: Looked}",
        "{type: Looked, where: {path: payload.pag, exists: true}}",
        "routes.looked.when.where.path",
        "records of type Looked have no payload.pag; did you mean page?",
    ),
]

ADDED = [
    (
        "key: id?",
        "routes.looked.key",
        "must not end in ?: nothing could take the place of an absent value",
    ),
    (
        "once: {window: 20m, at: 'occurred_at?'}",
        "routes.looked.once.at",
        "must not end in ?: nothing could take the place of an absent value",
    ),
    (
        "key: ide",
        "routes.looked.key",
        "records of type Looked have no ide; did you mean id?",
    ),
    (
        "once: {window: 20m, at: occured_at}",
        "routes.looked.once.at",
        "records of type Looked have no occured_at; did you mean occurred_at?",
    ),
    (
        "once: {window: 20m, by: whoo}",
        "routes.looked.once.by",
        "records of type Looked have no whoo; did you mean who?",
    ),
    (
        "drop: [{type: Looked}]",
        "routes.looked.drop.0.reason",
        "is required",
    ),
    (
        "once: {by: who}",
        "routes.looked.once",
        "needs exactly one of window and for",
    ),
    (
        "once: {window: 20m, for: ever}",
        "routes.looked.once",
        "needs exactly one of window and for",
    ),
    (
        "once: {window: 0s}",
        "routes.looked.once",
        "the window must be longer than nothing",
    ),
]


@pytest.mark.parametrize(("old", "new", "key", "text"), CHANGED)
def test_a_mistake_is_one_message_that_names_file_line_and_key(
    workshop: Workshop, old: str, new: str, key: str, text: str
) -> None:
    workshop.change(old, new)

    assert workshop.mistake() == (key, text)


@pytest.mark.parametrize(("line", "key", "text"), ADDED)
def test_a_line_that_does_not_belong_is_one_message(
    workshop: Workshop, line: str, key: str, text: str
) -> None:
    workshop.change("    when: {type: Looked}\n", f"    when: {{type: Looked}}\n    {line}\n")

    assert workshop.mistake() == (key, text)


def test_types_cannot_be_asked_for_where_nothing_tells_them(workshop: Workshop) -> None:
    workshop.change("    schema: visit\n", "    payload_field: null\n")

    assert {finding.partition(": ")[2] for finding in workshop.findings()} == {
        f"routes.{route}.when.type: can't be known: topic visits has neither a payload_field nor a schema"
        for route in ("looked", "bought")
    }
