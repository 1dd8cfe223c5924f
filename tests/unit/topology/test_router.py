"""The compiled routes as a whole: they take what a decoder gives, never raise, and remember nothing."""

import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.resources import schemas_dir, topology_dir
from consumer.topology.load import load_plan
from consumer.topology.model import TopicModel
from consumer.topology.plan import Dropped, Matched, Plan, Unmapped
from consumer.topology.router import RoutesByType
from consumer.types import Record
from tests.unit.topology.workshop import FILE, Workshop, record, routed, visit

KEYS = {
    "DISTINCT_API_KEY": "k",
    "CLIENT_API_KEY": "pk",
    "CLIENT_API_BASE_URL": "https://client.example",
    "EVENT_API_KEY": "e",
}
SHIPPED: Plan = load_plan(topology_dir(), KEYS, schemas=schemas_dir())
TYPES = sorted({name for route in SHIPPED.routes for name in route.types})
FIELDS = [
    "id",
    "occurred_at",
    "user",
    "context",
    "payload",
    "feature",
    "action",
    "experience_id",
    "user_agent",
]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.sampled_from(
        [
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 1, 1),
            datetime.max,
            date(2026, 1, 1),
            Decimal("1.5"),
            UUID(int=5),
            "\ud800",
            "registration_email",
        ]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5)
        | st.lists(inner, max_size=3)
        | st.tuples(
            st.sampled_from([f"so.distinct.events.{name}" for name in TYPES] + ["x.Y"]),
            st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
        )
    ),
    max_leaves=20,
)
PAYLOADS = st.tuples(
    st.sampled_from([f"so.distinct.events.{name}" for name in TYPES]),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6),
)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES), PAYLOADS, st.none() | st.binary(max_size=4))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_router_never_raises_whatever_a_record_holds(
    datum: dict[str, Any], payload: tuple[str, dict[str, Any]], key: bytes | None
) -> None:
    origin = Record("user-events", 0, 1, 0, key, b"", None)

    for one in (datum, {**datum, "payload": payload}):
        answers = SHIPPED.router("user-events")(one, origin)
        SHIPPED.user("user-events")(one)

        assert all(isinstance(answer, Matched | Dropped | Unmapped) for answer in answers)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES), PAYLOADS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_record_is_routed_the_same_twice_and_left_as_it_was(
    datum: dict[str, Any], payload: tuple[str, dict[str, Any]]
) -> None:
    datum["payload"] = payload
    before = copy.deepcopy(datum)
    origin = Record("user-events", 0, 1, 0, b"k", b"", None)
    route = SHIPPED.router("user-events")

    assert repr(route(datum, origin)) == repr(route(datum, origin))
    assert repr(datum) == repr(before)


def test_a_refusal_shows_no_value_of_the_record(workshop: Workshop) -> None:
    workshop.change("when: {type: Bought}", "when: {type: [Bought, Looked]}")
    secret = visit(who={"email": "ada@example.com"}, where={"shop": ["ada@example.com"], "floor": None})

    answers = routed(workshop.load(), secret)

    refusals = [answer for answer in answers if isinstance(answer, Unmapped)]
    assert len(refusals) == 2
    assert "ada" not in "".join(f"{refusal.reason} {refusal.field}" for refusal in refusals)


def test_many_type_names_do_not_fill_the_memory() -> None:
    """Type names come with the writers' schemas, of which a topic may have any number."""
    by_type = RoutesByType(TopicModel(), [])

    for number in range(1_200):
        assert by_type[f"x.T{number}"].routes == ()

    assert len(by_type) == 1_000


def test_topics_have_routers_of_their_own(workshop: Workshop) -> None:
    more = FILE.replace("  visits:\n    schema: visit\n", "  visits:\n    schema: visit\n  calls: {}\n")
    workshop.write("t.yaml", more)
    workshop.write(
        "calls.yaml",
        "routes:\n  calls: {from: calls, to: crm/events, map: {name: {const: Call}, external_id: caller}}\n",
    )
    plan = workshop.load()

    (call,) = plan.router("calls")({"id": "c", "caller": "ada"}, record())

    assert isinstance(call, Matched)
    assert call.route.topic == "calls"
    assert [answer.route.id for answer in plan.router("visits")(visit(), record())] == ["looked"]
