"""Whatever a record holds: `encode` never raises, what it gives keeps the rules, its words repeat no data."""

import json
import math
import string
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.clock import ManualClock
from consumer.endpoints import checks, client_api, fields, phones, time_zones, user_analytics
from consumer.endpoints.client_alias import ClientAlias
from consumer.endpoints.client_devices import ClientDevices
from consumer.endpoints.client_events import RULES, USER_RULES, ClientEvents
from consumer.endpoints.client_identify import ClientIdentify
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.outcome import Delivered
from consumer.endpoints.user_analytics import REGISTERED_PAIRS, UserAnalytics
from consumer.http.sender import Answer

ANALYTICS = UserAnalytics(ManualClock())
EVENTS = ClientEvents(ManualClock())
ALIAS = ClientAlias(ManualClock())
IDENTIFY = ClientIdentify(ManualClock())
DEVICES = ClientDevices(ManualClock())
SINGLES = (ALIAS, IDENTIFY, DEVICES)

REASONS = {
    value
    for module in (checks, fields, phones, client_api, time_zones, user_analytics)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
} | {f"is longer than {limit} characters" for limit in (50, 64, 255)}
FIELDS = {""} | ANALYTICS.fields | RULES.names | {f"user.{name}" for name in USER_RULES.names}
FIELDS = FIELDS.union(*(one.fields for one in SINGLES))

any_text = st.text(max_size=8) | st.text(st.characters(categories=["Cs", "Lu", "Zs", "Cc"]), max_size=4)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**62, max_value=10**400)
    | st.floats()
    | any_text
    | st.binary(max_size=4)
    | st.datetimes()
    | st.datetimes(timezones=st.timezones())
    | st.dates()
    | st.times(timezones=st.none() | st.timezones())
    | st.timedeltas()
    | st.decimals()
    | st.uuids()
    | st.sets(st.integers(), max_size=2)
    | st.complex_numbers()
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(any_text | st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)


@st.composite
def wrapped(draw: st.DrawFn) -> Any:
    """A value below a number of levels around the limit, or far beyond it."""
    value = draw(values)
    for _ in range(draw(st.integers(0, 36) | st.just(2_000))):
        value = {"in": value} if draw(st.just(True)) else [value]
    return value


json_leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8)
json_objects = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        json_leaves | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)
wild_objects = st.dictionaries(st.text(string.ascii_letters, max_size=3), values, max_size=3) | wrapped()


def spoilt(sound: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Items with some of the fields, none to two of which hold anything at all."""

    @st.composite
    def items(draw: st.DrawFn) -> dict[str, Any]:
        item = {name: draw(value) for name, value in sound.items() if draw(st.integers(0, 9))}
        for name in draw(st.lists(st.sampled_from(sorted(sound)), max_size=2)):
            item[name] = draw(any_text | values | wild_objects)
        return item

    return items()


instants = st.datetimes(timezones=st.just(UTC) | st.timezones())
names = st.text("aé ", min_size=1, max_size=8) | st.text("aé ", min_size=250, max_size=260)
analytics_items = st.sampled_from(sorted(REGISTERED_PAIRS)).flatmap(
    lambda pair: spoilt(
        {
            "userId": st.none() | any_text,
            "email": st.just("john.doe@example.com"),
            "phone": st.just("+14155552671"),
            "feature": st.just(pair[0]),
            "action": st.just(pair[1]),
            "experienceId": st.just("47Gop5"),
            "capturedAt": instants | st.just("2026-04-27T13:35:00Z"),
            "metadata": json_objects | wild_objects,
        }
    )
)
users = spoilt(dict.fromkeys(("email", "phone", "timezone", "locale"), names) | {"data": json_objects})
event_items = spoilt(
    {
        "name": names,
        "anonymous_id": st.none() | any_text,
        "external_id": names,
        "data": json_objects | wild_objects,
        "user": users,
    }
)
ids = {"anonymous_id": st.none() | any_text, "external_id": names}
single_items = {
    ALIAS: spoilt(dict.fromkeys(("anonymous_id", "external_id"), names)),
    IDENTIFY: spoilt(
        ids
        | dict.fromkeys(("email", "phone", "locale"), names)
        | {"timezone": st.sampled_from(["UTC", "Europe/Paris", "Paris"]), "data": json_objects | wild_objects}
    ),
    DEVICES: spoilt(
        ids | dict.fromkeys(("device_id", "token", "os", "model", "app_build", "app_version"), names)
    ),
}
anything = st.dictionaries(any_text | st.sampled_from(sorted(FIELDS)), values, max_size=6)


def depth(value: Any) -> int:
    """Levels of nesting of a parsed JSON value."""
    match value:
        case dict():
            return 1 + max(map(depth, value.values()), default=0)
        case list():
            return 1 + max(map(depth, value), default=0)
    return 0


def parsed(encoded: bytes | Invalid) -> Any:
    """As a strict receiver reads it: UTF-8 without surrogates, no NaN, no infinity (also by overflow)."""

    def no_constant(name: str) -> Any:
        raise AssertionError(f"{name} is not JSON")

    def finite(digits: str) -> float:
        assert math.isfinite(float(digits))
        return float(digits)

    assert isinstance(encoded, bytes), encoded
    text = encoded.decode("utf-8")
    body = json.loads(text, parse_constant=no_constant, parse_float=finite)
    json.dumps(body, ensure_ascii=False).encode("utf-8")
    return body


def check_fault(fault: Invalid) -> None:
    assert fault.reason in REASONS
    assert fault.field in FIELDS


def check_analytics(body: dict[str, Any]) -> None:
    assert depth(body) <= 32
    assert body.keys() <= {
        "userId", "email", "phone", "feature", "action", "experienceId", "capturedAt", "metadata"
    }  # fmt: skip
    assert body.keys() >= {"feature", "action", "experienceId", "capturedAt"}
    assert body.keys() & {"userId", "email", "phone"}
    for name in body.keys() - {"metadata"}:
        assert isinstance(body[name], str)
        assert body[name].strip()
    assert (body["feature"].lower(), body["action"].lower()) in REGISTERED_PAIRS
    assert body["capturedAt"].endswith("Z") or body["capturedAt"][-6] in "+-"
    if "phone" in body:
        assert body["phone"][0] == "+"
        assert body["phone"][1:].isdecimal()
    if "metadata" in body:
        assert isinstance(body["metadata"], dict)
        assert body["metadata"]


def check_event(body: dict[str, Any]) -> None:
    assert depth([body]) <= 32
    assert body.keys() <= {"name", "anonymous_id", "external_id", "data", "user"}
    assert body.keys() & {"anonymous_id", "external_id"}
    user = body.get("user", {"locale": "-"})
    assert user
    limits = {"name": 255, "anonymous_id": 255, "external_id": 255, "email": 255, "locale": 255, "phone": 64}
    for name, value in [*body.items(), *user.items()]:
        if name in ("data", "user"):
            assert isinstance(value, dict)
            assert value
        else:
            assert isinstance(value, str)
            assert value.strip()
            assert len(value) <= limits.get(name, 50)
    assert "name" in body


@given(analytics_items | anything)
def test_user_analytics_sends_what_keeps_the_rules_or_says_what_is_wrong(item):
    match ANALYTICS.encode(item):
        case bytes(encoded):
            check_analytics(parsed(encoded))
        case Invalid() as fault:
            check_fault(fault)


@given(event_items | anything)
def test_client_events_sends_what_keeps_the_rules_or_says_what_is_wrong(item):
    match EVENTS.encode(item):
        case bytes(encoded):
            check_event(parsed(encoded))
        case Invalid() as fault:
            check_fault(fault)


def check_single(operation: Any, body: dict[str, Any]) -> None:
    assert depth(body) <= 32
    assert operation.required <= body.keys() <= operation.fields
    assert body.keys() & {"anonymous_id", "external_id"}
    limits = {"anonymous_id": 255, "external_id": 255, "email": 255, "locale": 255, "phone": 64}
    for name, value in body.items():
        if name == "data":
            assert isinstance(value, dict)
            assert value
        else:
            assert isinstance(value, str)
            assert value.strip() or name in ("os", "model", "app_build", "app_version")
            assert len(value) <= limits.get(name, len(value))


@pytest.mark.parametrize("operation", SINGLES, ids=lambda one: one.name)
@given(data=st.data())
def test_a_single_sends_what_keeps_the_rules_or_says_what_is_wrong(operation, data):
    match operation.encode(data.draw(single_items[operation] | anything)):
        case bytes(encoded):
            check_single(operation, parsed(encoded))
        case Invalid() as fault:
            check_fault(fault)


@given(json_objects)
def test_every_json_object_arrives_as_it_was_given(data):
    opened = {
        "userId": "u-1",
        "feature": "registration_email",
        "action": "opened",
        "experienceId": "47Gop5",
        "capturedAt": "2026-04-27T13:35:00Z",
    }
    assert parsed(ANALYTICS.encode(opened | {"metadata": data}))["metadata"] == data
    assert parsed(EVENTS.encode({"name": "n", "external_id": "u-1", "data": data}))["data"] == data
    assert parsed(IDENTIFY.encode({"external_id": "u-1", "data": data}))["data"] == data


@given(st.lists(json_objects, min_size=1, max_size=5))
def test_an_array_loses_no_event_and_reorders_none(datas):
    encoded = [EVENTS.encode({"name": "n", "external_id": "u-1", "data": data}) for data in datas]
    items = [item for item in encoded if isinstance(item, bytes)]
    assert [event["data"] for event in parsed(EVENTS.body(items))] == datas


@pytest.mark.parametrize("operation", [ANALYTICS, EVENTS, *SINGLES], ids=lambda one: one.name)
@given(
    status=st.integers(100, 999),
    body=st.binary(max_size=30)
    | st.dictionaries(st.sampled_from(["statusCode", "message", "error", "code"]), json_leaves).map(
        lambda reply: json.dumps(reply).encode()
    ),
    wait=st.none() | st.text(max_size=30),
)
def test_any_answer_has_an_outcome_and_only_the_documented_one_acknowledges(operation, status, body, wait):
    outcome = operation.classify(Answer(status, {} if wait is None else {"retry-after": wait}, body))
    if outcome == Delivered():
        assert status == (200 if operation is ANALYTICS else 204)
        if operation is ANALYTICS:
            assert json.loads(body)["statusCode"] == 200
    else:
        assert not isinstance(outcome, Delivered)
        assert len(outcome.reason) < 80
