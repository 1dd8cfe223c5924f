"""Faults and outages: seeded, counted, and honest about what took effect."""

import time
from collections import Counter

import httpx
import msgspec
import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan, Outage
from consumer.sandbox.simulator.fault_dice import Fault, FaultDice

_MIXED = ApiFaults(rate_429=0.1, rate_500=0.1, rate_drop=0.1, rate_lost_response=0.1, retry_after_s=7)


def _send_until_accepted(sender, event_id):
    """What a sender does: again until it has a success; gives what it saw."""
    seen: Counter[int | str] = Counter()
    while True:
        try:
            response = sender.analytics(metadata={"event_id": event_id})
        except httpx.RemoteProtocolError:
            seen["closed"] += 1
            continue
        seen[response.status_code] += 1
        if response.status_code == 200:
            return seen


def _run(sender, requests):
    seen: Counter[int | str] = Counter()
    for number in range(requests):
        seen += _send_until_accepted(sender, f"e-{number}")
    return seen


def test_the_same_seed_brings_the_same_faults():
    def drawn(seed, faults=_MIXED):
        dice = FaultDice(faults, seed=seed)
        return [dice.fault() for _ in range(500) if dice.delay_s() >= 0]

    assert drawn("a") == drawn("a")
    assert drawn("a") != drawn("b")
    assert drawn("a") == drawn("a", msgspec.structs.replace(_MIXED, jitter_ms=5.0))


def test_faults_come_about_as_often_as_asked_for():
    dice = FaultDice(_MIXED, seed="rates")
    drawn = Counter(dice.fault() for _ in range(10_000))
    assert set(drawn) == set(Fault)
    assert all(800 < count < 1200 for fault, count in drawn.items() if fault is not Fault.NONE)


def test_the_delay_lies_between_latency_and_latency_plus_jitter():
    dice = FaultDice(ApiFaults(latency_ms=10, jitter_ms=20), seed="delay")
    delays = [dice.delay_s() for _ in range(1_000)]
    assert min(delays) >= 0.010
    assert max(delays) <= 0.030
    assert max(delays) - min(delays) > 0.015


@pytest.mark.parametrize(
    "rates", [{"rate_429": 1.1}, {"rate_drop": -0.1}, {"rate_500": 0.6, "rate_drop": 0.6}]
)
def test_rates_that_are_none_are_refused(sender, rates):
    with pytest.raises(ValueError, match="rates"):
        ApiFaults(**rates)
    response = sender.http.put("/_simulator/faults", json={"client_api": rates})
    assert response.status_code == 400
    assert "rates" in response.json()["error"]


def test_a_misspelt_fault_is_refused_by_name(sender):
    response = sender.http.put("/_simulator/faults", json={"client_api": {"rate_501": 0.1}})
    assert response.status_code == 400
    assert "rate_501" in response.json()["error"]


def test_the_books_stay_true_under_all_faults(sender, remote):
    remote.follow(FaultPlan(seed=11, user_analytics=_MIXED))
    seen = _run(sender, 150)
    report = remote.report().user_analytics
    assert report.requests == seen.total()
    assert seen[429] == report.answers["429"]["fault"] > 0
    assert seen[500] == report.answers["500"]["fault"] > 0
    assert seen["closed"] == report.dropped + report.lost_responses
    assert report.dropped > 0
    # Each lost answer made its event come again: those and no others are the repeats.
    assert report.duplicates == report.lost_responses > 0
    assert report.accepted - report.duplicates == 150


def test_the_same_seed_brings_the_same_run(sender, remote):
    runs = []
    for _ in range(2):
        remote.reset()
        remote.follow(FaultPlan(seed=5, user_analytics=_MIXED))
        runs.append((_run(sender, 60), remote.report()))
    assert runs[0] == runs[1]


def test_a_dropped_request_is_not_stored(sender, remote):
    remote.follow(FaultPlan(client_api=ApiFaults(rate_drop=1)))
    with pytest.raises(httpx.RemoteProtocolError):
        sender.client("events", [{"external_id": "u", "name": "n"}])
    report = remote.report().client_api
    assert (report.requests, report.dropped, report.accepted) == (1, 1, 0)


def test_a_request_whose_answer_is_lost_is_stored(sender, remote):
    remote.follow(FaultPlan(client_api=ApiFaults(rate_lost_response=1)))
    with pytest.raises(httpx.RemoteProtocolError):
        sender.client("events", [{"external_id": "u", "name": "n"}])
    report = remote.report().client_api
    assert (report.requests, report.lost_responses, report.accepted) == (1, 1, 1)


def test_a_429_says_how_long_to_wait(sender, remote):
    remote.follow(FaultPlan(user_analytics=ApiFaults(rate_429=1, retry_after_s=7)))
    response = sender.analytics()
    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert response.json()["statusCode"] == 429


def test_faults_of_one_api_leave_the_other_alone(sender, remote):
    remote.follow(FaultPlan(user_analytics=ApiFaults(rate_500=1)))
    assert sender.analytics().json() == {"statusCode": 500, "message": "Internal server error.", "data": None}
    assert sender.client("identify", {"external_id": "u"}).status_code == 204
    assert remote.faults().user_analytics.rate_500 == 1


def test_latency_delays_the_effect_and_a_sender_who_gave_up_does_not_prevent_it(sender, remote):
    remote.follow(FaultPlan(user_analytics=ApiFaults(latency_ms=200)))
    with pytest.raises(httpx.ReadTimeout):
        sender.http.post("/api/v1/user/analytics", timeout=0.05)
    assert remote.report().user_analytics.answers == {}
    deadline = time.monotonic() + 10
    while not remote.report().user_analytics.answers:
        assert time.monotonic() < deadline
    assert remote.report().user_analytics.answers == {"401": {"Unauthorized.": 1}}


def test_an_outage_lasts_until_it_is_cleared(sender, remote):
    remote.declare({"user_analytics": Outage(status=401)})
    for _ in range(3):
        assert sender.analytics().json() == {"statusCode": 401, "message": "Unauthorized.", "data": None}
    assert sender.client("identify", {"external_id": "u"}).status_code == 204
    remote.declare({})
    assert sender.analytics().status_code == 200
    assert remote.report().user_analytics.answers == {"401": {"outage": 3}, "200": {"accepted": 1}}


def test_a_counted_outage_is_used_up(sender, remote):
    remote.declare({"client_api": Outage(status=404, count=2)})
    answers = [sender.client("identify", {"external_id": "u"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 404, 204]
    assert answers[0].json()["code"] == 6000
    assert sender.http.get("/_simulator/outages").json() == {}


def test_an_outage_may_have_any_body_and_headers(sender, remote):
    remote.declare(
        {"user_analytics": Outage(status=302, body="", headers={"location": "http://127.0.0.1:9/"})}
    )
    response = sender.analytics()
    assert (response.status_code, response.headers["location"]) == (302, "http://127.0.0.1:9/")
    remote.declare({"user_analytics": Outage(status=200, body={"statusCode": 202})})
    assert sender.analytics().json() == {"statusCode": 202}
    assert remote.report().user_analytics.accepted == 0


def test_an_outage_may_close_every_connection(sender, remote):
    remote.declare({"client_api": Outage(drop=True)})
    with pytest.raises(httpx.RemoteProtocolError):
        sender.client("identify", {"external_id": "u"})
    assert remote.report().client_api.dropped == 1


def test_an_outage_of_an_unknown_api_is_refused(sender):
    response = sender.http.put("/_simulator/outages", json={"user_analytic": {"status": 401}})
    assert response.status_code == 400
    assert "user_analytic" in response.json()["error"]
