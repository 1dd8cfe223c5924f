"""Which records a route takes, and which it drops."""

import pytest

from consumer.topology.plan import Dropped, Matched
from tests.unit.topology.workshop import Workshop, routed, visit

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


def takes(workshop: Workshop, condition: str, **where: object) -> bool:
    workshop.change("{type: Looked}", f"{{type: Looked, where: {condition}}}")
    text = (workshop.folder / "t.yaml").read_text()
    # Without a schema, so that a value of any type may stand there.
    workshop.write("t.yaml", text.replace("    schema: visit\n", "    on_gap: stop\n"))
    plan = workshop.load()
    return bool(routed(plan, visit(where={"shop": "north", "floor": None, "extra": {}, **where})))


def test_a_route_takes_the_types_it_names_short_or_in_full(workshop: Workshop) -> None:
    workshop.change("{type: Looked}", "{type: shop.Looked}")
    plan = workshop.load()

    assert [answer.route.id for answer in routed(plan, visit("Looked"))] == ["looked"]
    assert [answer.route.id for answer in routed(plan, visit("Bought"))] == ["bought"]


def test_a_route_without_a_type_takes_every_record(workshop: Workshop) -> None:
    workshop.change("    when: {type: Looked}\n", "")
    workshop.write("t.yaml", (workshop.folder / "t.yaml").read_text().replace("page: payload.page", "id: id"))
    plan = workshop.load()

    assert [answer.route.id for answer in routed(plan, visit("Bought"))] == ["looked", "bought"]
    assert [answer.route.id for answer in routed(plan, visit("Looked"))] == ["looked"]


def test_one_record_goes_to_every_route_that_takes_it(workshop: Workshop) -> None:
    workshop.change("when: {type: Bought}", "when: {type: [Bought, Looked]}")

    answers = routed(workshop.load(), visit("Looked"))

    assert [(answer.route.id, answer.route.destination) for answer in answers] == [
        ("looked", "crm"),
        ("bought", "stats"),
    ]


def test_a_type_that_no_route_asks_for_is_unrouted(workshop: Workshop) -> None:
    workshop.change("when: {type: Bought}", "when: {type: Looked}")

    assert routed(workshop.load(), visit("Bought")) == []


def test_the_type_of_a_record_without_a_union_is_that_of_the_schema(workshop: Workshop) -> None:
    workshop.change("    schema: visit\n", "    schema: visit\n    payload_field: null\n")
    text = (workshop.folder / "t.yaml").read_text()
    workshop.write(
        "t.yaml", text.replace("type: Looked", "type: Visit").replace("type: Bought", "type: shop.Visit")
    )

    assert [answer.route.id for answer in routed(workshop.load(), visit())] == ["looked", "bought"]


@pytest.mark.parametrize(
    ("condition", "value", "taken"),
    [
        ("{path: where.floor, equals: 1}", 1, True),
        ("{path: where.floor, equals: 1}", 2, False),
        ("{path: where.floor, equals: 1}", True, False),
        ("{path: where.floor, equals: true}", True, True),
        ("{path: where.floor, equals: true}", 1, False),
        ("{path: where.floor, equals: 1}", None, False),
        ("{path: where.floor, equals: 1}", {"a": 1}, False),
        ("{path: where.floor, equals: '1'}", 1, False),
        ("{path: where.floor, equals: North}", "north", False),
        ("{path: where.floor, equals: North, ignore_case: true}", "nORTH", True),
        ("{path: where.floor, in: [North, South], ignore_case: true}", "south", True),
        ("{path: where.floor, equals: North, ignore_case: true}", 5, False),
        ("{path: where.floor, in: [1, 2, true]}", 2, True),
        ("{path: where.floor, in: [1, 2, true]}", True, True),
        ("{path: where.floor, in: [1, 2, true]}", False, False),
        ("{path: where.floor, exists: true}", 0, True),
        ("{path: where.floor, exists: true}", None, False),
        ("{path: where.floor, exists: false}", None, True),
        ("{path: where.floor, exists: false}", "", False),
        ("{path: where.floor, matches: 'a+'}", "aaa", True),
        ("{path: where.floor, matches: 'a+'}", "aaab", False),
        ("{path: where.floor, matches: '1.'}", 12, True),
        ("{path: where.floor, matches: '.*'}", None, False),
        ("{path: where.floor, matches: '.*'}", ["a"], False),
        ("[{path: where.floor, exists: true}, {path: where.shop, equals: north}]", 1, True),
        ("[{path: where.floor, exists: true}, {path: where.shop, equals: south}]", 1, False),
    ],
)
def test_a_condition_holds_for_the_values_it_says(
    workshop: Workshop, condition: str, value: object, taken: bool
) -> None:
    assert takes(workshop, condition, floor=value) is taken


@pytest.mark.parametrize(
    ("where", "unless", "taken"),
    [
        ("north", "1", False),
        ("north", "2", True),
        ("south", "1", False),
    ],
)
def test_unless_takes_back_only_what_all_of_its_conditions_say(
    workshop: Workshop, where: str, unless: str, taken: bool
) -> None:
    workshop.change(
        "    when: {type: Looked}\n",
        "    when:\n      type: Looked\n"
        f"      where: {{path: where.shop, equals: {where}}}\n"
        "      unless:\n"
        "        - {path: where.shop, equals: north}\n"
        f"        - {{path: where.floor, equals: {unless}}}\n",
    )

    assert bool(routed(workshop.load(), visit(where={"shop": "north", "floor": 1}))) is taken


def test_what_is_dropped_has_the_reason_of_the_first_drop_that_holds(workshop: Workshop) -> None:
    workshop.change(
        "    when: {type: Looked}\n",
        "    when: {type: Looked}\n"
        "    drop:\n"
        "      - {reason: cellar, where: {path: where.floor, equals: -1}}\n"
        "      - {reason: south, where: {path: where.shop, equals: south}}\n",
    )
    plan = workshop.load()

    (both,) = routed(plan, visit(where={"shop": "south", "floor": -1}))
    (south,) = routed(plan, visit(where={"shop": "south", "floor": 1}))
    (neither,) = routed(plan, visit(where={"shop": "north", "floor": 1}))

    assert isinstance(both, Dropped)
    assert both.reason == "cellar"
    assert isinstance(south, Dropped)
    assert south.reason == "south"
    assert isinstance(neither, Matched)


def test_a_drop_may_be_for_some_of_the_routes_types(workshop: Workshop) -> None:
    workshop.change(
        "    when: {type: Bought}\n",
        "    when: {type: [Bought, Looked]}\n    drop: [{reason: looked_only, type: Looked}]\n",
    )
    plan = workshop.load()

    assert [type(answer) for answer in routed(plan, visit("Looked"))] == [Matched, Dropped]
    assert [type(answer) for answer in routed(plan, visit("Bought"))] == [Matched]


@pytest.mark.parametrize(
    ("agent", "dropped"),
    [
        (GOOGLEBOT, True),
        ("curl/8.5.0", True),
        (CHROME, False),
        (None, False),
        (GMAIL, False),
        ("x" * 100_000 + "Googlebot", False),
        (5, False),
    ],
)
def test_bots_are_known_by_their_user_agent(workshop: Workshop, agent: object, dropped: bool) -> None:
    workshop.change(
        "    when: {type: Looked}\n",
        "    when: {type: Looked}\n    drop: [{reason: bot, where: {path: where.shop, user_agent: bots}}]\n",
    )

    (answer,) = routed(workshop.load(), visit(where={"shop": agent, "floor": 1}))

    assert isinstance(answer, Dropped) is dropped


def test_what_is_dropped_need_not_be_mappable(workshop: Workshop) -> None:
    workshop.change(
        "    when: {type: Looked}\n",
        "    when: {type: Looked}\n    drop: [{reason: empty, where: {path: payload.page, exists: false}}]\n",
    )
    record = visit()
    record["payload"][1]["page"] = None

    (answer,) = routed(workshop.load(), record)

    assert isinstance(answer, Dropped)
