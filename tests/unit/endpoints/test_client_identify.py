"""Client API identify: what is sent, what must not be, and how several items become one."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.clock import ManualClock
from consumer.endpoints import checks, fields
from consumer.endpoints.client_api import NO_IDENTIFIER, NOT_CANONICAL
from consumer.endpoints.client_identify import ClientIdentify, ClientIdentifyOptions
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.time_zones import NOT_A_TIMEZONE

EXAMPLE = {
    "external_id": "EXTERNAL_ID",
    "email": "test@test.com",
    "timezone": "America/Chicago",
    "locale": "en",
    "data": {"first_name": "John", "last_name": "Smith", "has_completed_onboarding": True},
}
OPERATION = ClientIdentify(ManualClock(), ClientIdentifyOptions(collapse=10))


@pytest.fixture
def operation() -> ClientIdentify:
    return ClientIdentify(ManualClock())


def outcome(operation: ClientIdentify, **changes: Any) -> bytes | Invalid:
    return operation.encode(EXAMPLE | changes)


def sent(operation: ClientIdentify, **changes: Any) -> Any:
    item = outcome(operation, **changes)
    assert isinstance(item, bytes), item
    return json.loads(operation.body([item]))


# ----------------------------------------------------------------------------------------------- what is sent


def test_the_example_of_the_page_is_sent_as_it_is(operation):
    assert operation.path == "/api/client/identify"
    assert sent(operation) == EXAMPLE


def test_an_anonymous_id_alone_is_enough_whatever_the_page_says(operation):
    assert "external_id" not in sent(operation, external_id=None, anonymous_id="anon")


@pytest.mark.parametrize("nothing", [None, "", "  "])
@pytest.mark.parametrize("field", ["email", "phone", "timezone", "locale"])
def test_a_blank_trait_is_left_out_and_wipes_nothing(operation, field, nothing):
    assert field not in sent(operation, **{field: nothing})


@pytest.mark.parametrize("nothing", [None, {}])
def test_data_without_anything_in_it_is_left_out(operation, nothing):
    assert "data" not in sent(operation, data=nothing)


@pytest.mark.parametrize("value", ["john at home", "@", "0721 000 000"])
def test_addresses_and_numbers_are_sent_as_they_are_for_the_server_checks_neither(operation, value):
    assert sent(operation, email=value, phone=value) == EXAMPLE | {"email": value, "phone": value}


@pytest.mark.parametrize(
    "zone",
    ["America/Chicago", "europe/bucharest", "UTC", "Etc/GMT+5", "US/Eastern", "Asia/Calcutta", "EST5EDT"],
)
def test_zones_and_links_of_iana_pass_in_any_case(operation, zone):
    assert sent(operation, timezone=zone)["timezone"] == zone


# ------------------------------------------------------------------------------------------- what must not be


@pytest.mark.parametrize(
    "zone",
    [
        "Chicago",
        "CEST",
        "+02:00",
        "America/Springfield",
        "America/Chicago ",
        "Factory",
        "localtime",
        "x" * 300,
    ],
)
def test_a_time_zone_that_iana_does_not_have_would_be_a_validation_error(operation, zone):
    assert outcome(operation, timezone=zone) == Invalid("timezone", NOT_A_TIMEZONE)


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_without_an_id_a_user_without_a_name_would_be_created(operation, nothing):
    assert outcome(operation, external_id=nothing, anonymous_id=nothing) == Invalid(
        fields.WHOLE, NO_IDENTIFIER
    )


@pytest.mark.parametrize(
    ("field", "limit"),
    [("external_id", 255), ("anonymous_id", 255), ("email", 255), ("locale", 255), ("phone", 64)],
)
def test_texts_have_lengths_beyond_which_the_traits_would_be_lost(operation, field, limit):
    assert sent(operation, **{field: "ü" * limit})[field] == "ü" * limit
    fault = outcome(operation, **{field: "ü" * (limit + 1)})
    assert fault == Invalid(field, f"is longer than {limit} characters")


@pytest.mark.parametrize("field", ["external_id", "anonymous_id", "email", "phone", "timezone", "locale"])
@pytest.mark.parametrize("value", [465, True, ["x"], {"x": 1}])
def test_texts_must_be_texts(operation, field, value):
    assert outcome(operation, **{field: value}) == Invalid(field, checks.NOT_TEXT)


@pytest.mark.parametrize("value", [[], "{}", 3])
def test_data_must_be_an_object(operation, value):
    assert outcome(operation, data=value) == Invalid("data", checks.NOT_OBJECT)


def test_nesting_beyond_32_levels_would_be_lost(operation):
    value: dict[str, object] = {"leaf": 1}
    for _ in range(30):
        value = {"in": value}
    assert sent(operation, data=value)
    assert outcome(operation, data={"in": value}) == Invalid("data", checks.TOO_DEEP)


@pytest.mark.parametrize(
    "changes", [{"external_id": "\ud800"}, {"email": "\ud800"}, {"data": {"a": "\udc00"}}]
)
def test_a_lone_surrogate_would_be_lost(operation, changes):
    assert outcome(operation, **changes) == Invalid(next(iter(changes)), checks.LONE_SURROGATE)


@pytest.mark.parametrize("field", ["name", "user", "created_at"])
def test_an_additional_property_would_be_a_validation_error(operation, field):
    assert outcome(operation, **{field: "x"}) == Invalid(fields.WHOLE, fields.UNKNOWN_FIELD)


def test_an_id_that_may_differ_in_case_only_is_refused_where_the_option_says_so():
    strict = ClientIdentify(ManualClock(), ClientIdentifyOptions(canonical_ids=True))
    assert outcome(strict) == Invalid("external_id", NOT_CANONICAL)


# ------------------------------------------------------------------------------------------ several become one


def items(*given: dict[str, Any]) -> list[bytes]:
    encoded = [OPERATION.encode({"external_id": "u", **one}) for one in given]
    return [one for one in encoded if isinstance(one, bytes)]


def collapsed(*given: dict[str, Any]) -> Any:
    encoded = items(*given)
    assert OPERATION.joint(encoded) == len(given)
    return json.loads(OPERATION.body(encoded))


def test_unless_it_is_asked_for_each_is_sent_by_itself(operation):
    assert operation.max_items == 1
    assert OPERATION.max_items == 10


def test_later_values_stand_and_others_stay_as_if_one_came_after_the_other():
    body = collapsed(
        {"email": "a@x.example", "locale": "en", "data": {"plan": "free", "visits": 1, "city": "Lyon"}},
        {"locale": "fr", "data": {"visits": 2, "city": None}},
        {"phone": "+33", "data": {"tags": ["vip"]}},
    )
    assert body == {
        "external_id": "u",
        "email": "a@x.example",
        "locale": "fr",
        "phone": "+33",
        "data": {"plan": "free", "visits": 2, "city": None, "tags": ["vip"]},
    }


def test_data_is_merged_shallowly_as_the_server_does():
    assert collapsed({"data": {"a": {"x": 1}}}, {"data": {"a": {"y": 2}}})["data"] == {"a": {"y": 2}}


def test_traits_without_data_have_none_together():
    assert collapsed({"locale": "en"}, {"email": "a"}) == {"external_id": "u", "locale": "en", "email": "a"}


def test_values_are_carried_over_to_the_last_digit():
    exact = {
        "sum": Decimal("1234567890123456789.00000000000000000001"),
        "big": 2**63,
        "e": 1e22,
        "text": "é\u2028\\",
    }
    first, second = items({"data": exact}, {"locale": "en"})
    assert b"1234567890123456789.00000000000000000001" in OPERATION.body([first, second])
    assert b"9223372036854775808" in OPERATION.body([first, second])
    at = {"at": datetime(2026, 4, 27, 13, 35, tzinfo=UTC)}
    assert collapsed({"data": at}, {"locale": "en"})["data"] == {"at": "2026-04-27T13:35:00Z"}


def test_only_what_has_both_ids_equal_is_joined():
    encoded = items(
        {}, {"locale": "en"}, {"anonymous_id": "a"}, {"anonymous_id": "a"}, {"anonymous_id": "b"}, {}
    )
    counts = [OPERATION.joint(encoded[first:]) for first in range(len(encoded))]
    assert counts == [2, 1, 2, 1, 1, 1]
    other_case = items({}, {"external_id": "U"})
    assert OPERATION.joint(other_case) == 1


def test_one_item_alone_is_the_body_and_none_is_never_sent():
    (item,) = items({"locale": "en"})
    assert OPERATION.body([item]) is item
    with pytest.raises(ValueError, match="needs an item"):
        OPERATION.body([])


traits = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(["a", "b"]),
        "locale": st.sampled_from(["en", "fr"]),
        "data": st.dictionaries(
            st.sampled_from("abc"),
            st.none() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=3) | st.lists(st.floats(-1, 1)),
            min_size=1,
        ),
    },
)


@given(st.lists(traits, min_size=1, max_size=6))
def test_one_request_leaves_the_user_as_all_of_them_in_turn_would(all_of_them):
    def apply(user: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        return {**user, **body, "data": {**user.get("data", {}), **body.get("data", {})}}

    in_turn: dict[str, Any] = {}
    for item in items(*all_of_them):
        in_turn = apply(in_turn, json.loads(item))
    assert apply({}, collapsed(*all_of_them)) == in_turn


@given(st.lists(traits, min_size=1, max_size=6))
def test_one_request_is_never_larger_than_what_was_counted_for_its_items(all_of_them):
    encoded = items(*all_of_them)
    assert len(OPERATION.body(encoded)) <= sum(map(len, encoded))
