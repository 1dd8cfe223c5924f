"""The simulator was written from the vendor's pages alone, and shares nothing with what sends: a second opinion on what
leaves here."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.clock import ManualClock
from consumer.endpoints.client_identify import ClientIdentify, ClientIdentifyOptions
from consumer.sandbox.simulator.client_api import ClientApi
from consumer.sandbox.simulator.request import Request
from consumer.sandbox.simulator.verdict import Accepted
from tests.unit.endpoints.test_encode_properties import EVENTS, IDENTIFY, SINGLES, event_items, single_items

TWIN = ClientApi(api_key="pk_1", time_key="occurred_at")
ITEMS: dict[Any, st.SearchStrategy[dict[str, Any]]] = {**single_items, EVENTS: event_items}
COLLAPSING = ClientIdentify(ManualClock(), ClientIdentifyOptions(collapse=5))


def verdict(operation: Any, items: list[bytes]) -> Any:
    headers = {name.encode(): value.encode() for name, value in operation.headers("pk_1").items()}
    body = operation.body(items)
    return TWIN.judge(
        Request(
            method="POST", path=operation.path, query="", headers=headers, body=body, client_ip="127.0.0.1"
        )
    )


@pytest.mark.parametrize("operation", [*SINGLES, EVENTS], ids=lambda one: one.name)
@settings(max_examples=40)
@given(data=st.data())
def test_what_is_sent_is_accepted_and_does_no_harm(operation, data):
    item = operation.encode(data.draw(ITEMS[operation]))
    if isinstance(item, bytes):
        judged = verdict(operation, [item])
        assert isinstance(judged, Accepted)
        assert list(judged.harms) == []


@settings(max_examples=40)
@given(st.lists(single_items[IDENTIFY], min_size=2, max_size=5))
def test_traits_collapsed_into_one_request_are_accepted_and_do_no_harm(given_items):
    encoded = [COLLAPSING.encode({**item, "external_id": "u", "anonymous_id": None}) for item in given_items]
    items = [item for item in encoded if isinstance(item, bytes)]
    if items:
        assert COLLAPSING.joint(items) == len(items)
        judged = verdict(COLLAPSING, items)
        assert isinstance(judged, Accepted)
        assert list(judged.harms) == []
