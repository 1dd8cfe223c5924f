"""The catalogue: what a topology may name, and how a mistake in its options reads."""

import pytest

from consumer.clock import ManualClock
from consumer.endpoints.catalogue import APIS
from consumer.endpoints.endpoint import Invalid
from consumer.errors import ConfigurationError


def test_all_apis_that_records_are_delivered_to_are_there():
    assert {(api, name) for api, entries in APIS.items() for name in entries} >= {
        ("distinct", "user_analytics"),
        ("distinct_capture", "capture"),
        ("event_api", "update"),
        ("event_api", "login"),
        ("event_api", "generic"),
        ("event_api", "confirmation"),
        ("event_api", "email_open"),
        ("event_api", "standard"),
        ("client_api", "events"),
    }


def test_the_client_api_has_its_four_operations():
    assert set(APIS["client_api"]) == {"alias", "identify", "devices", "events"}


@pytest.mark.parametrize(("api", "name"), [(api, name) for api in APIS for name in APIS[api]])
def test_what_an_entry_says_is_what_the_operation_does(api, name):
    entry = APIS[api][name]
    operation = entry.build(ManualClock(), {})
    assert operation.name == name
    assert (operation.fields, operation.required) == (entry.fields, entry.required)
    assert entry.required <= entry.fields
    assert entry.one_of <= entry.fields
    assert isinstance(operation.encode({}), Invalid)
    if entry.required - entry.one_of:
        without_a_required_field = operation.encode(dict.fromkeys(entry.one_of, "x"))
        assert isinstance(without_a_required_field, Invalid)
    assert operation.max_items >= 1
    assert operation.max_body_bytes <= 1_048_576


def test_options_reach_the_operation():
    events = APIS["client_api"]["events"].build(ManualClock(), {"max_items": 20, "max_body_bytes": 65_536})
    assert (events.max_items, events.max_body_bytes) == (20, 65_536)
    analytics = APIS["distinct"]["user_analytics"].build(ManualClock(), {"pairs": {"quiz": ["done"]}})
    quiz = {
        "userId": "u-1",
        "feature": "quiz",
        "action": "done",
        "experienceId": "47Gop5",
        "capturedAt": "2026-04-27T13:35:00Z",
    }
    assert isinstance(analytics.encode(quiz), bytes)


@pytest.mark.parametrize(
    ("api", "name", "options", "named"),
    [
        ("client_api", "events", {"max_item": 20}, "max_item"),
        ("client_api", "events", {"max_items": 0}, "max_items"),
        ("client_api", "events", {"max_items": "20"}, "max_items"),
        ("client_api", "events", {"max_body_bytes": 1_048_577}, "max_body_bytes"),
        ("client_api", "events", {"max_retry_after_s": -1}, "max_retry_after_s"),
        ("client_api", "alias", {"settle_delay_s": -1}, "settle_delay_s"),
        ("client_api", "alias", {"settle_delay_s": 601}, "settle_delay_s"),
        ("client_api", "alias", {"collapse": 2}, "collapse"),
        ("client_api", "identify", {"collapse": 0}, "collapse"),
        ("client_api", "identify", {"collapse": True}, "collapse"),
        ("client_api", "devices", {"max_items": 2}, "max_items"),
        ("distinct", "user_analytics", {"max_items": 2}, "max_items"),
        ("distinct", "user_analytics", {"pairs": {"quiz": "done"}}, "pairs"),
        ("distinct_capture", "capture", {"migrate": True}, "experiences"),
        ("event_api", "email_open", {"event": ""}, "event"),
        ("event_api", "standard", {"events": "viewproduct"}, "events"),
        ("event_api", "update", {"event": "x"}, "event"),
    ],
)
def test_a_wrong_option_is_named_with_those_that_there_are(api, name, options, named):
    with pytest.raises(ConfigurationError) as caught:
        APIS[api][name].build(ManualClock(), options)
    text = str(caught.value)
    assert named in text
    assert "max_retry_after_s" in text
