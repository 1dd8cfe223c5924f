"""Client API devices: what is sent, and what must not be."""

import json
from typing import Any

import pytest

from consumer.clock import ManualClock
from consumer.endpoints import checks, fields
from consumer.endpoints.client_api import NO_IDENTIFIER, NOT_CANONICAL
from consumer.endpoints.client_devices import ClientDevices
from consumer.endpoints.client_single import ClientSingleOptions
from consumer.endpoints.endpoint import Invalid

EXAMPLE = {
    "external_id": "EXTERNAL_ID",
    "device_id": "5e356e66-03aa-4926-a322-d7f5c89049c1",
    "token": "45d2e0c7bbb649679723a96d92d0fa305e356e6603aa4926a322d7f5c89",
    "os": "iOS 16.3",
    "model": "iPhone15,2",
    "app_build": "465",
    "app_version": "1.2.4",
}


@pytest.fixture
def operation() -> ClientDevices:
    return ClientDevices(ManualClock())


def outcome(operation: ClientDevices, **changes: Any) -> bytes | Invalid:
    return operation.encode(EXAMPLE | changes)


def sent(operation: ClientDevices, **changes: Any) -> Any:
    item = outcome(operation, **changes)
    assert isinstance(item, bytes), item
    return json.loads(operation.body([item]))


def test_the_example_of_the_page_is_sent_as_it_is(operation):
    assert operation.path == "/api/client/devices"
    assert sent(operation) == EXAMPLE


def test_either_id_is_enough_and_one_is_needed(operation):
    assert "external_id" not in sent(operation, external_id=None, anonymous_id="anon")
    assert sent(operation, anonymous_id="anon")["external_id"] == "EXTERNAL_ID"
    for nothing in (None, "", "  "):
        nobody = outcome(operation, external_id=nothing, anonymous_id=nothing)
        assert nobody == Invalid(fields.WHOLE, NO_IDENTIFIER)


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_the_token_is_optional_whatever_the_page_says(operation, nothing):
    assert "token" not in sent(operation, token=nothing)


@pytest.mark.parametrize("field", ["device_id", "os", "model", "app_build", "app_version"])
def test_what_the_server_demands_must_be_there(operation, field):
    without = {name: value for name, value in EXAMPLE.items() if name != field}
    assert operation.encode(without) == Invalid(field, fields.REQUIRED)
    assert outcome(operation, **{field: None}) == Invalid(field, fields.REQUIRED)


@pytest.mark.parametrize("field", ["device_id", "os", "model", "app_build", "app_version", "token"])
def test_a_build_or_anything_else_as_a_number_would_be_a_validation_error(operation, field):
    assert outcome(operation, **{field: 465}) == Invalid(field, checks.NOT_TEXT)


def test_a_device_without_an_id_of_its_own_is_not_sent_but_one_without_a_known_model_is(operation):
    assert outcome(operation, device_id="") == Invalid("device_id", fields.REQUIRED)
    unknown = {"os": "", "model": "", "app_build": "", "app_version": ""}
    assert sent(operation, **unknown) == EXAMPLE | unknown


@pytest.mark.parametrize("field", ["anonymous_id", "external_id"])
def test_ids_are_texts_of_at_most_255_characters(operation, field):
    assert sent(operation, **{field: "ü" * 255})[field] == "ü" * 255
    assert outcome(operation, **{field: "ü" * 256}) == Invalid(field, "is longer than 255 characters")
    assert outcome(operation, **{field: True}) == Invalid(field, checks.NOT_TEXT)


@pytest.mark.parametrize("field", sorted(EXAMPLE))
def test_a_lone_surrogate_would_be_lost(operation, field):
    assert outcome(operation, **{field: "a\udc00"}) == Invalid(field, checks.LONE_SURROGATE)


def test_a_field_that_the_page_does_not_have_is_refused(operation):
    assert outcome(operation, os_version="16") == Invalid(fields.WHOLE, fields.UNKNOWN_FIELD)


def test_limits_are_options():
    strict = ClientDevices(ManualClock(), ClientSingleOptions(canonical_ids=True, max_body_bytes=1024))
    assert outcome(strict) == Invalid("external_id", NOT_CANONICAL)
    assert outcome(strict, external_id="u", token="x" * 1024).reason == fields.TOO_LARGE  # type: ignore[union-attr]
    assert outcome(strict, external_id="u")
