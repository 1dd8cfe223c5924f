"""Expressions in CEL: what they give, what they can be wrong about, and that they are bounded."""

import threading
import time
from datetime import UTC, date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import (
    binary,
    booleans,
    datetimes,
    dictionaries,
    floats,
    integers,
    just,
    lists,
    none,
    recursive,
    text,
    tuples,
)

from consumer.topology import computed
from consumer.topology.cel_program import MAX_MEMBERS, MAX_TEXT_CHARS, Failure, compile_program
from consumer.topology.plan import Dropped, Matched, Unmapped
from tests.unit.topology.workshop import NOON, Workshop, refused, routed, sent, visit

PATH = "must be a path such as user.email, or user.email? where the value may be absent"
TOO_DEEP = "is no CEL expression, or one that is nested too deep"
MISSPELT = "records of type Looked have no payload.pge; did you mean page?"


def field(workshop: Workshop, expression: str) -> Workshop:
    """The usual topology with `page` computed."""
    workshop.change("page: payload.page", f"page: {expression}")
    return workshop


@pytest.mark.parametrize(
    ("expression", "page"),
    [
        ("{cel: 'page.lowerAscii() + \"!\"', with: {page: payload.page}}", "/hats!"),
        ("{cel: 'size(tags)', with: {tags: payload.tags}}", 1),
        ("{cel: 'tags.map(t, t + page)', with: {tags: payload.tags, page: payload.page}}", ["new/hats"]),
        ("{cel: 'int(math.round(2.5)) + size(id)', with: {id: id}}", 6),
        ("{cel: 'at.getFullYear()', with: {at: occurred_at}}", 2026),
        ("{cel: at, with: {at: occurred_at}}", "2026-04-27T12:00:00Z"),
        ("{cel: 'floor == null ? -1 : floor', with: {floor: 'where.floor?'}}", -1),
        ("{cel: 'place.shop', with: {place: where}}", "north"),
        ('{cel: \'{"n": size(id), "list": [id]}\', with: {id: id}}', {"n": 3, "list": ["e-1"]}),
    ],
)
def test_a_field_is_what_its_expression_gives(workshop: Workshop, expression: str, page: object) -> None:
    plan = field(workshop, expression).load()

    assert sent(plan, visit())["data"]["page"] == page


def test_a_record_in_a_union_is_seen_as_its_fields(workshop: Workshop) -> None:
    plan = field(workshop, "{cel: 'at.shop', with: {at: payload.at}}").load()
    looked = ("shop.Looked", {"page": "/", "at": ("shop.Place", {"shop": "south"}), "tags": []})

    assert sent(plan, visit(payload=looked))["data"]["page"] == "south"


def test_an_optional_null_is_left_out(workshop: Workshop) -> None:
    plan = field(workshop, "{cel: floor, with: {floor: 'where.floor?'}, optional: true}").load()

    assert "data" not in sent(plan, visit())


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("{cel: floor, with: {floor: where.floor}}", "the record has no where.floor"),
        ("{cel: floor, with: {floor: 'where.floor?'}}", "its expression gives null"),
        ("{cel: '1 / (size(id) - 3)', with: {id: id}}", "division by zero"),
        ("{cel: 'tags[5]', with: {tags: payload.tags}}", "an index is out of bounds"),
        ("{cel: 'place.nowhere', with: {place: where}}", "a field that it asks for is not there"),
        ("{cel: 'id + 1', with: {id: id}}", "the types do not fit: CEL converts nothing by itself"),
        ("{cel: '9223372036854775807 + size(id)', with: {id: id}}", "a number is out of range"),
    ],
)
def test_an_expression_that_fails_is_a_mapping_error_with_the_fields_path(
    workshop: Workshop, expression: str, reason: str
) -> None:
    plan = field(workshop, expression).load()

    at, said = refused(plan, visit())

    assert at == "data.page"
    assert said.removeprefix("its expression can't be computed: ") == reason
    assert "e-1" not in said


@pytest.mark.parametrize(
    ("condition", "taken"),
    [
        ("{cel: 'size(tags) > 0', with: {tags: payload.tags}}", True),
        (
            '{cel: \'page.startsWith("/") && shop == "south"\', with: {page: payload.page, shop: where.shop}}',
            False,
        ),
        ("{cel: 'floor > 1', with: {floor: where.floor}}", False),
        ("{cel: 'floor == null', with: {floor: 'where.floor?'}}", True),
        (
            "[{path: who, equals: ada}, {cel: 'at < timestamp(\"2027-01-01T00:00:00Z\")', with: {at: occurred_at}}]",
            True,
        ),
    ],
)
def test_a_condition_may_be_computed(workshop: Workshop, condition: str, taken: bool) -> None:
    workshop.change("{type: Looked}", f"{{type: Looked, where: {condition}}}")

    assert bool(routed(workshop.load(), visit())) is taken


def test_records_may_be_dropped_by_an_expression(workshop: Workshop) -> None:
    drop = "    drop: [{reason: short, where: {cel: 'size(page) < 9', with: {page: payload.page}}}]\n"
    workshop.change("    when: {type: Looked}\n", "    when: {type: Looked}\n" + drop)

    (answer,) = routed(workshop.load(), visit())

    assert isinstance(answer, Dropped)
    assert answer.reason == "short"


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("size(page)", "it is neither true nor false"),
        ("page > 5", "the types do not fit: CEL converts nothing by itself"),
    ],
)
def test_a_condition_without_an_answer_is_a_dead_letter_not_a_no(
    workshop: Workshop, expression: str, reason: str
) -> None:
    condition = f"{{cel: '{expression}', with: {{page: payload.page}}}}"
    workshop.change("{type: Looked}", f"{{type: Looked, where: {condition}}}")

    assert refused(workshop.load(), visit()) == ("when or drop", f"a condition can't be computed: {reason}")


def test_a_route_without_expressions_evaluates_none(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(computed, "compile_program", compiled.append)
    workshop.change("{const: Looked}", "{template: 'Looked {id}'}")

    assert isinstance(routed(workshop.load(), visit())[0], Matched)
    assert compiled == []


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("{cel: 'size(page', with: {page: payload.page}}", "is no CEL at character 10: missing ')' at '<EOF>'"),
        ("{cel: 'size(pag)', with: {page: payload.page}}", "pag is not among the values of with; did you mean page?"),
        ("{cel: 'sise(page)', with: {page: payload.page}}", "there is no function sise; did you mean size?"),
        ("{cel: 'size(page)', with: {page: payload.page, id: id}}", "does not use id, which with hands in"),
        (
            "{cel: 't.map(a, t.map(b, a + b))', with: {t: payload.tags}}",
            "has a macro inside of another one, which could take too long: split it",
        ),
        (f"{{cel: 'id{' + id' * 250}', with: {{id: id}}}}", "is longer than 1000 characters"),
        (f"{{cel: '{'(' * 200}id{')' * 200}', with: {{id: id}}}}", TOO_DEEP),
    ],
)  # fmt: skip
def test_an_expression_that_cannot_work_is_found_by_check(
    workshop: Workshop, expression: str, text: str
) -> None:
    key, said = field(workshop, expression).mistake()

    assert key == "routes.looked.map.data.object.page"
    assert said == text


@pytest.mark.parametrize(
    ("expression", "key", "text"),
    [
        ("{cel: page, with: {page: payload.pge}}", "with.page", MISSPELT),
        ("{cel: page, with: {page: 'payload..'}}", "with.page", PATH),
        ("{cel: page, wiht: {page: payload.page}}", "wiht", "unknown key; did you mean with?"),
        ("{cel: page}", "with", "is required"),
    ],
)  # fmt: skip
def test_what_an_expression_is_handed_is_checked_as_every_path(
    workshop: Workshop, expression: str, key: str, text: str
) -> None:
    found = [finding.split(": ", 2)[1:] for finding in field(workshop, expression).findings()]

    assert [f"routes.looked.map.data.object.page.{key}", text] in found


def test_two_macros_one_after_the_other_and_words_in_texts_are_no_nesting(workshop: Workshop) -> None:
    plan = field(
        workshop, "{cel: 't.filter(a, a != \".map(b, (\").map(c, c)', with: {t: payload.tags}}"
    ).load()

    assert sent(plan, visit())["data"]["page"] == ["new"]


@pytest.mark.parametrize(
    "value",
    [
        list(range(MAX_MEMBERS + 1)),
        {"deep": [list(range(MAX_MEMBERS))]},
        "x" * (MAX_TEXT_CHARS + 1),
        ["x" * MAX_TEXT_CHARS, "y"],
    ],
)
def test_more_than_an_expression_may_read_is_refused_before_it_runs(value: object) -> None:
    result = compile_program("size(x) > 0")({"x": value})

    assert result == Failure("is handed more than an expression may read")


def test_deep_nesting_is_refused_instead_of_ending_the_process() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]

    assert isinstance(compile_program("x == x")({"x": deep}), Failure)
    while isinstance(deep, list):  # freed level by level: Python too recurses
        deep = deep.pop()


@given(
    recursive(
        none()
        | booleans()
        | integers()
        | floats()
        | text()
        | binary()
        | datetimes()
        | datetimes(timezones=just(UTC)),
        lambda inner: lists(inner) | dictionaries(text(), inner) | tuples(text(), inner),
    )
)
def test_an_expression_never_raises_whatever_it_is_handed(value: object) -> None:
    for source in ("x", "x + x", "x.y", "x[0]", "size(x) > 1 ? x : [x]", "x.map(a, string(a))", "int(x) / 0"):
        compile_program(source)({"x": value})


def test_the_most_that_an_expression_may_be_handed_takes_no_second() -> None:
    program = compile_program("x.filter(a, a.matches('(a+)+b')).map(b, b + 'c')")
    begun_s = time.process_time()

    program({"x": ["a" * 32] * MAX_MEMBERS})

    assert time.process_time() - begun_s < 1.0


def test_what_cel_has_no_type_for_is_handed_in_as_text() -> None:
    program = compile_program("a + b + string(c)")

    assert (
        program({"a": Decimal("1.10"), "b": date(2026, 4, 27), "c": NOON})
        == "1.102026-04-272026-04-27T12:00:00+00:00"
    )


def test_an_expression_compiled_in_one_thread_runs_in_another() -> None:
    """A topology is read beside the event loop, and used in it."""
    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(compile_program("x.trim() + y")))
    thread.start()
    thread.join()

    assert made[0]({"x": " a ", "y": "b"}) == "ab"
    assert made[0]({"x": "c", "y": "d"}) == "cd"


def test_a_value_of_one_record_is_not_seen_by_the_next(workshop: Workshop) -> None:
    plan = field(workshop, "{cel: 'floor == null ? 0 : floor', with: {floor: 'where.floor?'}}").load()

    assert sent(plan, visit(where={"shop": "n", "floor": 4, "extra": {}}))["data"]["page"] == 4
    assert sent(plan, visit())["data"]["page"] == 0
    assert not isinstance(routed(plan, visit())[0], Unmapped)
