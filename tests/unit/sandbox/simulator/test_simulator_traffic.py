"""What can be watched: the last requests and why they were answered so, without keys, within bounds."""

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan, Outage
from consumer.sandbox.simulator.recent import Recent
from consumer.sandbox.simulator.traffic import Traffic


def test_each_request_is_told_with_its_outcome(sender, remote):
    sender.analytics(userId="user-1")
    sender.analytics(userId="unknown-1")
    sender.client("events", [{"external_id": "user-2", "name": "Opened"}] * 3)
    sender.http.get("/api/client/events")
    sender.http.post("/nowhere?key=secret")
    remote.declare({"event_api": Outage(status=503)})
    sender.event({"update": {}})
    told = [
        (one.api, one.status, one.reason, one.items, one.user, one.name) for one in remote.traffic().exchanges
    ]
    assert told == [
        ("user_analytics", 200, "accepted", 1, "user-1", "registration_email/opened"),
        ("user_analytics", 400, "User not found.", 0, "", ""),
        ("client_api", 204, "accepted", 3, "user-2", "Opened"),
        ("client_api", 405, "method", 0, "", ""),
        (None, 404, "unknown path", 0, "", ""),
        ("event_api", 503, "outage", 0, "", ""),
    ]


def test_what_was_dropped_or_lost_is_told_apart(sender, remote):
    for faults in (ApiFaults(rate_drop=1.0), ApiFaults(rate_lost_response=1.0)):
        remote.follow(FaultPlan.everywhere(faults, seed=1))
        with pytest.raises(Exception, match="disconnected"):
            sender.analytics()
    told = [(one.status, one.reason) for one in remote.traffic().exchanges]
    assert told == [(0, "dropped"), (200, "accepted (answer lost)")]


def test_only_what_is_new_is_told_and_forgetting_forgets_it(sender, remote):
    sender.analytics()
    seen = remote.traffic().seq
    sender.analytics(userId="user-2")
    assert [one.user for one in remote.traffic(after=seen).exchanges] == ["user-2"]
    remote.reset()
    assert remote.traffic().exchanges == []
    assert remote.traffic().ledger.user_analytics.requests == 0


def test_no_key_is_told_anywhere(sender, remote):
    for authorization in ("Bearer pk_secret", "pk_secret"):
        sender.client("events", [], headers={"authorization": authorization})
        sender.event({"update": {}}, headers={"authorization": authorization})
        sender.analytics(headers={"x-distinct-api-key": authorization})
        sender.http.get("/nowhere", params={"key": authorization})
    for path in ("traffic", "ledger", "faults", "outages", ""):
        assert "pk_secret" not in sender.http.get(f"/_simulator/{path}").text


def test_the_page_may_run_nothing_but_its_own_script(sender):
    response = sender.http.get("/_simulator/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "http://" not in response.text
    assert "https://" not in response.text


def test_memory_of_traffic_is_bounded_and_a_reader_from_before_a_restart_gets_all():
    traffic = Traffic()
    for number in range(1_000):
        traffic.note("client_api", number, "POST", "/x" * 200, 204, "accepted")
    kept = traffic.after(0)
    assert [one.seq for one in kept] == list(range(501, 1_001))
    assert len(kept[0].path) == 120
    assert traffic.after(5_000) == kept


def test_a_recent_set_forgets_its_oldest_members_only():
    recent = Recent[str](2)
    assert [recent.add(member) for member in ("a", "b", "a", "c")] == [True, True, False, True]
    assert [member in recent for member in ("a", "b", "c")] == [False, True, True]
    recent.update(["b", "d", "e"])
    assert list(recent) == ["d", "e"]
