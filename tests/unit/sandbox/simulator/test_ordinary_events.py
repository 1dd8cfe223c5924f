"""The quick way for ordinary arrays must never decide otherwise than the full rules."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from consumer.sandbox.simulator.client_api import ClientApi
from consumer.sandbox.simulator.ordinary_events import read_ordinary_events
from consumer.sandbox.simulator.request import Request

_API = ClientApi(api_key="pk_key", time_key="occurred_at")

_texts = st.one_of(st.text(max_size=5), st.sampled_from(["x" * 255, "x" * 256, "\ud800", "ü" * 255]))
_scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _texts)
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_texts, inner, max_size=2)
)
_data = st.dictionaries(st.sampled_from(["event_id", "occurred_at", "price"]), _values) | _values
_names = st.sampled_from(["name", "external_id", "anonymous_id"])
_events = st.builds(
    lambda fields, data, extra: fields | data | extra,
    st.dictionaries(_names, _texts | _scalars, min_size=1),
    st.dictionaries(st.just("data"), _data),
    st.dictionaries(st.sampled_from(["user", "created_at"]), _values),
)


def _request(body, key="Bearer pk_key"):
    headers = {b"content-type": b"application/json", b"authorization": key.encode()}
    return Request("POST", "/api/client/events", "", headers, body, "127.0.0.1")


@given(st.lists(_events | _scalars, max_size=3), st.sampled_from(["Bearer pk_key", "Bearer pk_other", ""]))
@example([], "Bearer pk_key")
@example([{"name": "n"}], "Bearer pk_key")
@example([{"name": "n", "external_id": None, "anonymous_id": None}], "Bearer pk_key")
@example([{"name": "n", "external_id": "e", "data": {"event_id": 5, "occurred_at": None}}], "Bearer pk_key")
@example([{"name": "n", "external_id": "e", "data": None}], "Bearer pk_key")
def test_both_ways_come_to_the_same_verdict(events, key):
    request = _request(json.dumps(events).encode(), key)
    assert _API.judge(request) == _API.judge_by_full_rules(request)


@given(st.binary(max_size=40))
def test_any_bytes_come_to_the_same_verdict(body):
    assert _API.judge(_request(body)) == _API.judge_by_full_rules(_request(body))


def test_an_ordinary_array_takes_the_quick_way():
    events = [
        {"name": "Opened", "external_id": "user-1", "data": {"event_id": "e-1", "price": 1.5, "new": True}}
    ]
    assert read_ordinary_events(_request(json.dumps(events).encode())) is not None
