"""Routes are written out as Python: what a topology says stays a text in it, whatever the text is."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.topology.boxes import BoxPlan
from consumer.topology.conditions import all_hold
from consumer.topology.expression import Constant, Expression, Nested, Template
from consumer.topology.mapping import mapping_lines
from consumer.topology.model import ConditionModel
from consumer.topology.plan import Unmapped
from consumer.topology.source import Source
from tests.unit.topology.workshop import Workshop, sent, visit

EVIL = 'x\'] = 1; raise SystemExit  # """ \\ \n\r\x00 {v} \ud800 b0'


def fields_of(mapping: dict[str, Expression], record: dict[str, Any]) -> Any:
    """What a mapping makes of a record, as a route would."""
    boxes, source = BoxPlan(), Source()
    no_route: Any = None

    def refuse(reason: str, field: str) -> Unmapped:
        return Unmapped(no_route, reason, field)

    lines = list(mapping_lines(mapping, boxes, source, refuse, "fields"))
    return source.function([*lines, "return fields"])(boxes.opener()(record), None)


def test_a_field_s_name_is_never_source(workshop: Workshop) -> None:
    name = EVIL.replace("\ud800", "").replace("\x00", "")
    workshop.change("          page: payload.page\n", f"          {json.dumps(name)}: payload.page\n")

    assert sent(workshop.load(), visit())["data"] == {name: "/hats"}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text() | st.just(EVIL), st.text() | st.just(EVIL), min_size=1, max_size=5))
def test_any_names_and_constants_come_out_as_they_went_in(known: dict[str, str]) -> None:
    mapping: dict[str, Expression] = {name: Constant(const=value) for name, value in known.items()}
    nested = Nested.model_construct(object=mapping)  # a lone surrogate does not get past the model

    assert fields_of({**mapping, "inside": nested}, {}) == {**known, "inside": known}


@given(st.text(st.characters(exclude_characters="{}"), min_size=1))
def test_a_template_s_text_is_never_source(text: str) -> None:
    template = Template(template=f"{text}{{id}}{{{{{text}}}}}")

    assert fields_of({"name": template}, {"id": EVIL}) == {"name": f"{text}{EVIL}{{{text}}}"}


@pytest.mark.parametrize("value", [EVIL, 5, True, 1.5, "other"])
def test_a_condition_s_values_are_never_source(value: Any) -> None:
    boxes, source = BoxPlan(), Source()
    condition = ConditionModel.model_validate({"path": "id", "in": [EVIL, 5, True, 1.5]})
    holds = source.function([f"return {all_hold([condition], boxes, source)}"])

    assert bool(holds([{"id": value}], None)) is (value != "other")


def test_what_is_written_can_reach_nothing_but_what_it_was_given() -> None:
    with pytest.raises(NameError):
        Source().function(["return open"])([], None)


def test_an_object_is_reached_by_one_name_and_different_ones_by_different_names() -> None:
    source = Source()
    one, other = object(), object()

    assert source.constant("a", one) == source.constant("b", one)
    assert source.constant("a", one) != source.constant("a", other)


def test_a_route_with_a_thousand_fields_and_a_long_template_is_written_out(workshop: Workshop) -> None:
    fields = "".join(f"          f{number}: payload.page\n" for number in range(1000))
    template = "{payload.page}-" * 2000
    workshop.change("          page: payload.page\n", f'{fields}          long: {{template: "{template}"}}\n')

    data = sent(workshop.load(), visit())["data"]

    assert len(data) == 1001
    assert data["long"] == "/hats-" * 2000
