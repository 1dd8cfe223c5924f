"""Client API alias: what is sent, and what must not be."""

import json
from typing import Any

import pytest

from consumer.clock import ManualClock
from consumer.endpoints import checks, fields
from consumer.endpoints.client_alias import ClientAlias, ClientAliasOptions
from consumer.endpoints.client_api import NOT_CANONICAL
from consumer.endpoints.endpoint import Invalid

EXAMPLE = {"anonymous_id": "ANONYMOUS_ID", "external_id": "EXTERNAL_ID"}


@pytest.fixture
def operation() -> ClientAlias:
    return ClientAlias(ManualClock())


def outcome(operation: ClientAlias, **changes: Any) -> bytes | Invalid:
    return operation.encode(EXAMPLE | changes)


def test_the_example_of_the_page_is_sent_as_it_is(operation):
    item = outcome(operation)
    assert isinstance(item, bytes)
    assert json.loads(operation.body([item])) == EXAMPLE


def test_a_request_is_one_object_with_the_key_as_bearer(operation):
    assert operation.path == "/api/client/alias"
    assert operation.max_items == 1
    assert operation.headers("pk_1") == {"authorization": "Bearer pk_1", "content-type": "application/json"}
    with pytest.raises(ValueError, match="unpack"):
        operation.body([b"{}", b"{}"])


@pytest.mark.parametrize("field", ["anonymous_id", "external_id"])
@pytest.mark.parametrize("nothing", [None, "", " \t"])
def test_both_ids_are_needed(operation, field, nothing):
    assert outcome(operation, **{field: nothing}) == Invalid(field, fields.REQUIRED)
    assert operation.encode({field: "x"}) == Invalid(next(iter(EXAMPLE.keys() - {field})), fields.REQUIRED)


@pytest.mark.parametrize("field", ["anonymous_id", "external_id"])
def test_both_ids_are_texts_of_at_most_255_characters(operation, field):
    assert isinstance(outcome(operation, **{field: "ü" * 255}), bytes)
    assert outcome(operation, **{field: "ü" * 256}) == Invalid(field, "is longer than 255 characters")
    assert outcome(operation, **{field: 465}) == Invalid(field, checks.NOT_TEXT)
    assert outcome(operation, **{field: "a\ud800"}) == Invalid(field, checks.LONE_SURROGATE)


def test_a_field_that_the_page_does_not_have_is_refused(operation):
    assert outcome(operation, data={"a": 1}) == Invalid(fields.WHOLE, fields.UNKNOWN_FIELD)


def test_ids_that_may_differ_in_case_only_are_refused_where_the_option_says_so():
    strict = ClientAlias(ManualClock(), ClientAliasOptions(canonical_ids=True))
    assert outcome(strict) == Invalid("external_id", NOT_CANONICAL)
    assert isinstance(outcome(strict, external_id="user-1"), bytes)


def test_the_settle_delay_is_an_option_and_none_by_default(operation):
    assert operation.settle_delay_s == 0.0
    assert ClientAlias(ManualClock(), ClientAliasOptions(settle_delay_s=2.5)).settle_delay_s == 2.5
