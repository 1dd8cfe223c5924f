"""What the ledger tells of what was received."""

import pytest
from msgspec.structs import replace

from consumer.errors import FaultError
from consumer.sandbox.simulator import SimulatorRemote
from consumer.sandbox.simulator.book import Book
from consumer.sandbox.simulator.client_api import ClientApi
from consumer.sandbox.simulator.request import Request
from consumer.sandbox.simulator.verdict import Accepted


def _events(*event_ids, **fields):
    return [
        {"external_id": "user-1", "name": "Opened", "data": {"event_id": event_id}} | fields
        for event_id in event_ids
    ]


def test_repeats_are_accepted_and_counted(sender, remote):
    for _ in range(3):
        assert sender.analytics(metadata={"event_id": "e-1"}).status_code == 200
    assert sender.analytics(metadata={"event_id": "e-2"}).status_code == 200
    assert remote.books()["user_analytics"] == {"accepted": 4, "duplicates": 2, "refused": 0}


def test_repeats_within_and_across_arrays_are_counted_by_item(sender, remote):
    sender.client("events", _events("e-1", "e-2", "e-1"))
    sender.client("events", _events("e-2", "e-3"))
    assert remote.books()["client_api"] == {"accepted": 5, "duplicates": 2, "refused": 0}
    assert [item.duplicate for item in remote.items("client_api")] == [False, False, True, True, False]


def test_without_an_event_id_the_idempotency_key_tells_repeats(sender, remote):
    for key in ("k-1", "k-1", "k-2", None):
        sender.analytics(headers={"idempotency-key": key})
    for key in ("k-1", "k-1"):
        sender.client("events", [{"external_id": "u", "name": "n"}] * 2, headers={"idempotency-key": key})
    report = remote.report()
    assert (report.user_analytics.duplicates, report.user_analytics.no_id) == (1, 1)
    assert (report.client_api.accepted, report.client_api.duplicates, report.client_api.no_id) == (4, 2, 0)


def test_one_event_may_become_several_operations(sender, remote):
    headers = {"idempotency-key": "k-1"}
    sender.client("identify", {"external_id": "user-1"}, headers=headers)
    sender.client("events", [{"external_id": "user-1", "name": "n"}], headers=headers)
    assert remote.report().client_api.duplicates == 0


def test_items_are_listed_in_the_order_of_acceptance(sender, remote):
    sender.client("events", _events("e-1", "e-2"), headers={"idempotency-key": "k-1"})
    sender.client("events", _events("e-3", anonymous_id="a", external_id=None))
    sender.client("alias", {"external_id": "user-1", "anonymous_id": "a"}, headers={"idempotency-key": "k-2"})
    items = list(remote.items("client_api"))
    assert [item.seq for item in items] == [0, 1, 2, 3]
    assert [item.request for item in items] == [1, 1, 2, 3]
    assert [item.operation for item in items] == ["events", "events", "events", "alias"]
    assert [item.event_id for item in items] == ["e-1", "e-2", "e-3", None]
    assert [item.idempotency_key for item in items] == ["k-1", "k-1", None, "k-2"]
    assert [item.user for item in items] == ["user-1", "user-1", "a", "user-1"]
    assert [item.name for item in items] == ["Opened", "Opened", "Opened", "alias"]
    assert sorted(item.at_ms for item in items) == [item.at_ms for item in items]
    assert [item.seq for item in remote.items("client_api", after=1)] == [2, 3]


def test_an_item_carries_the_events_own_time(sender, remote):
    sender.analytics(capturedAt="2026-04-27T13:35:00Z", feature="Page_Visit", action="VIEWED")
    sender.client(
        "events", [{"external_id": "u", "name": "n", "data": {"occurred_at": "2026-04-27T13:35:01Z"}}]
    )
    (analytics,) = remote.items("user_analytics")
    (event,) = remote.items("client_api")
    assert (analytics.name, analytics.time) == ("page_visit/viewed", "2026-04-27T13:35:00Z")
    assert event.time == "2026-04-27T13:35:01Z"


def test_a_refused_item_counts_once_however_often_it_is_sent(sender, remote):
    for _ in range(3):
        sender.analytics(action="clicked", metadata={"event_id": "e-1"})
    assert remote.books()["user_analytics"]["refused"] == 1
    assert remote.report().user_analytics.answers == {"400": {"Invalid feature/action.": 3}}


def test_only_the_guilty_items_of_an_array_count_as_refused(sender, remote):
    events = _events("e-1", "e-2", "e-3", "e-4")
    del events[1]["name"]
    events[3]["name"] = 5
    sender.client("events", events)
    sender.client("events", events[1:2])
    assert remote.books()["client_api"] == {"accepted": 0, "duplicates": 0, "refused": 2}


def test_an_item_that_is_accepted_in_the_end_was_not_refused(sender, remote):
    sender.analytics(userId="unknown-1", metadata={"event_id": "e-1"})
    assert remote.books()["user_analytics"]["refused"] == 1
    remote.register(["unknown-1"])
    sender.analytics(userId="unknown-1", metadata={"event_id": "e-1"})
    assert remote.books()["user_analytics"] == {"accepted": 1, "duplicates": 0, "refused": 0}


def test_bad_credentials_refuse_no_item(sender, remote):
    sender.analytics(headers={"x-distinct-api-key": "no"}, metadata={"event_id": "e-1"})
    sender.client("events", _events("e-1"), headers={"authorization": "Bearer pk_no"})
    report = remote.report()
    assert (report.user_analytics.refused, report.client_api.refused) == (0, 0)
    assert report.user_analytics.answers == {"401": {"Unauthorized.": 1}}
    assert report.client_api.answers == {"404": {"The requested project does not exist.": 1}}


def test_refusals_of_arrays_are_counted_by_what_is_wrong_not_where(sender, remote):
    for index in range(3):
        sender.client("events", _events(*"abc"[:index]) + _events("x", name=5))
    assert remote.report().client_api.answers == {"422": {"The value of `*/name` must be a string.": 3}}


def test_resetting_forgets_everything(sender, remote):
    sender.analytics(metadata={"event_id": "e-1"})
    sender.http.post("/nowhere")
    remote.reset()
    assert remote.report().unknown_paths == 0
    assert list(remote.items("user_analytics")) == []
    sender.analytics(metadata={"event_id": "e-1"})
    assert remote.books()["user_analytics"] == {"accepted": 1, "duplicates": 0, "refused": 0}


def test_a_long_list_is_streamed_whole(sender, remote):
    for start in range(0, 20_000, 2_000):
        sender.client("events", _events(*(f"e-{number}" for number in range(start, start + 2_000))))
    ids = [item.event_id for item in remote.items("client_api")]
    assert ids == [f"e-{number}" for number in range(20_000)]
    assert sender.analytics().status_code == 200


def test_a_list_of_an_unknown_api_is_refused_with_the_names(sender, remote):
    response = sender.http.get("/_simulator/ledger/items", params={"api": "parcelvoy"})
    assert response.status_code == 400
    assert (
        "one of user_analytics, capture_analytics, touchpoint_metrics, event_api, client_api"
        in response.json()["error"]
    )
    with pytest.raises(FaultError, match="400"):
        list(remote.items("parcelvoy"))


def test_a_book_without_items_still_counts_repeats():
    headers = {b"content-type": b"application/json", b"authorization": b"Bearer pk_key"}
    body = b'[{"name": "n", "external_id": "u", "data": {"event_id": "e"}}]'
    verdict = ClientApi(api_key="pk_key", time_key="t").judge(
        Request("POST", "/api/client/events", "", headers, body, "127.0.0.1")
    )
    assert isinstance(verdict, Accepted)
    book = Book(keep_items=False)
    for number in (1, 2):
        book.accept(verdict, idempotency_key=None, request=number, at_ms=number)
    assert list(book.items()) == []
    assert (book.report().accepted, book.report().duplicates) == (2, 1)


def test_a_month_of_traffic_fits_the_memory_that_was_given(config, serving):
    with serving(replace(config, keep=3)) as sender:
        sender.client("events", _events(*(f"e-{number}" for number in range(10))))
        remote = SimulatorRemote(str(sender.http.base_url))
        assert [item.event_id for item in remote.items("client_api")] == ["e-7", "e-8", "e-9"]
        assert [item.seq for item in remote.items("client_api", after=7)] == [8, 9]
        sender.client("events", _events("e-9", "e-0"))
        assert remote.books()["client_api"] == {"accepted": 12, "duplicates": 1, "refused": 0}
