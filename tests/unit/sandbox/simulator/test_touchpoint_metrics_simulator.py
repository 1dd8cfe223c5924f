"""The simulator's Touchpoint Scanner Metrics: shapes, pages, and what is refused."""

import pytest
from msgspec.structs import replace

from consumer.errors import FaultError
from consumer.sandbox.simulator import Touchpoint, Visit


def _visit(user_id, timestamp_utc):
    return Visit(user_id=user_id, timestamp_utc=timestamp_utc)


def _touchpoint(number, *visits, experience_id="harbour"):
    return Touchpoint(
        id=f"t-{number}", name=f"Gate {number}", value=f"gate_{number}", experience_id=experience_id,
        visits=visits,
    )  # fmt: skip


def _items(response, kind):
    return response.json()["data"]["touchpoints"][f"{kind}Details"]["items"]


def test_an_experience_counts_the_scans_of_each_touchpoint(sender):
    response = sender.metrics(metricsType="EXPERIENCE", experienceId="47Gop5")
    assert response.status_code == 200
    assert response.json() == {
        "statusCode": 200,
        "message": "Touchpoint scanner metrics fetched successfully",
        "data": {
            "totalTouchpoints": 2,
            "touchpoints": [
                {"id": "tp-1", "name": "Entry Scan", "value": "entry_scan", "totalVisits": 3, "uniqueVisits": 2},
                {"id": "tp-2", "name": "Exit Scan", "value": "exit_scan", "totalVisits": 1, "uniqueVisits": 1},
            ],
        },
    }  # fmt: skip


def test_a_user_has_every_scan_time_in_order(sender):
    data = sender.metrics(metricsType="USER", experienceId="47Gop5", userId="user-1").json()["data"]
    assert data == {
        "totalTouchpoints": 1,
        "touchpoints": [
            {
                "id": "tp-1",
                "name": "Entry Scan",
                "value": "entry_scan",
                "totalVisits": 2,
                "timestampsUTC": ["2024-01-01T10:00:00Z", "2024-01-03T10:00:00Z"],
            }
        ],
    }


def test_a_registered_user_who_scanned_nothing_has_no_touchpoints(sender):
    response = sender.metrics(metricsType="USER", experienceId="47Gop5", userId="user-77")
    assert response.json()["data"] == {"totalTouchpoints": 0, "touchpoints": []}


def test_pages_put_together_are_all_visits_and_the_one_past_the_end_is_empty(sender):
    query = {"metricsType": "TOUCHPOINT", "touchpointId": "tp-1", "pageSize": "2"}
    pages = [sender.metrics(**query, offset=offset) for offset in ("0", "2", "4")]
    assert [len(_items(page, "totalVisits")) for page in pages] == [2, 1, 0]
    assert [page.json()["data"]["touchpoints"]["totalVisits"] for page in pages] == [3, 3, 3]
    assert pages[1].json()["data"]["touchpoints"]["totalVisitsDetails"] == {
        "items": [{"userId": "user-1", "timestampUTC": "2024-01-03T10:00:00Z"}],
        "pagination": {"offset": 2, "pageSize": 2},
    }


def test_unique_visitors_have_their_first_scan_and_no_totals(sender):
    response = sender.metrics(metricsType="TOUCHPOINT", touchpointId="tp-1", visitsType="UNIQUE")
    touchpoint = response.json()["data"]["touchpoints"]
    assert set(touchpoint) == {"id", "name", "value", "uniqueVisits", "uniqueVisitsDetails"}
    assert touchpoint["uniqueVisits"] == 2
    assert touchpoint["uniqueVisitsDetails"]["items"] == [
        {"userId": "user-1", "timestampUTC": "2024-01-01T10:00:00Z"},
        {"userId": "user-2", "timestampUTC": "2024-01-02T10:00:00Z"},
    ]


def test_a_page_has_50_items_unless_told_otherwise(sender, remote):
    remote.add_visits("tp-2", [_visit(f"user-{n}", f"2024-02-01T10:00:{n % 60:02}Z") for n in range(60)])
    response = sender.metrics(metricsType="TOUCHPOINT", touchpointId="tp-2")
    assert len(_items(response, "totalVisits")) == 50
    assert response.json()["data"]["touchpoints"]["totalVisitsDetails"]["pagination"] == {
        "offset": 0,
        "pageSize": 50,
    }


def test_an_experience_comes_in_pages_or_whole_as_the_two_readings_of_the_page_have_it(config, serving):
    touchpoints = tuple(_touchpoint(number) for number in range(3))
    for pages, second in ((True, ["t-2"]), (False, ["t-0", "t-1", "t-2"])):
        with serving(replace(config, touchpoints=touchpoints, experience_pages=pages)) as sender:
            query = {"metricsType": "EXPERIENCE", "experienceId": "harbour", "pageSize": "2"}
            data = sender.metrics(**query, offset="2").json()["data"]
        assert data["totalTouchpoints"] == 3
        assert [one["id"] for one in data["touchpoints"]] == second


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "Missing required parameter: metricsType"),
        ({"metricsType": ""}, "Missing required parameter: metricsType"),
        ({"metricsType": "experience"}, "Invalid parameter: metricsType"),
        ({"metricsType": "EXPERIENCE"}, "Missing required parameter: experienceId"),
        ({"metricsType": "USER", "userId": "u"}, "Missing required parameter: experienceId"),
        ({"metricsType": "USER", "experienceId": "47Gop5"}, "Missing required parameter: userId"),
        ({"metricsType": "TOUCHPOINT"}, "Missing required parameter: touchpointId"),
        (
            {"metricsType": "TOUCHPOINT", "touchpointId": "tp-1", "visitsType": "ALL"},
            "Invalid parameter: visitsType",
        ),
        ({"metricsType": "TOUCHPOINT", "touchpointId": "tp-1", "pageSize": 0}, "Invalid parameter: pageSize"),
        ({"metricsType": "TOUCHPOINT", "touchpointId": "tp-1", "offset": -1}, "Invalid parameter: offset"),
        (
            {"metricsType": "EXPERIENCE", "experienceId": "47Gop5", "offset": "2.0"},
            "Invalid parameter: offset",
        ),
    ],
)
def test_a_bad_parameter_is_named_and_the_answer_has_no_data(sender, remote, query, message):
    response = sender.metrics(**query)
    assert response.status_code == 400
    assert response.json() == {"statusCode": 400, "message": message}
    assert remote.books()["touchpoint_metrics"] == {"accepted": 0, "duplicates": 0, "refused": 1}


def test_the_type_of_visits_has_no_effect_elsewhere(sender):
    response = sender.metrics(metricsType="EXPERIENCE", experienceId="47Gop5", visitsType="ALL")
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"metricsType": "EXPERIENCE", "experienceId": "nowhere"}, "Experience not found"),
        ({"metricsType": "USER", "experienceId": "nowhere", "userId": "user-1"}, "Experience not found"),
        ({"metricsType": "USER", "experienceId": "47Gop5", "userId": "unknown-1"}, "User not found"),
        ({"metricsType": "TOUCHPOINT", "touchpointId": "tp-9"}, "Touchpoint not found"),
        (
            {"metricsType": "TOUCHPOINT", "touchpointId": "tp-1", "experienceId": "nowhere"},
            "Experience not found",
        ),
    ],
)
def test_what_is_not_on_record_is_not_found(sender, query, message):
    response = sender.metrics(**query)
    assert response.status_code == 404
    assert response.json() == {"statusCode": 404, "message": message}


def test_a_touchpoint_of_another_experience_is_not_found_in_this_one(sender, remote):
    remote.replace_touchpoints([_touchpoint(1), _touchpoint(2, experience_id="marathon")])
    query = {"metricsType": "TOUCHPOINT", "touchpointId": "t-1"}
    assert sender.metrics(**query, experienceId="marathon").json()["message"] == "Touchpoint not found"
    assert sender.metrics(**query, experienceId="harbour").status_code == 200


@pytest.mark.parametrize("key", [None, "shared-key", "Admin-Key"])
def test_only_the_admin_key_is_good(sender, key):
    response = sender.metrics(metricsType="EXPERIENCE", headers={"x-distinct-api-key": key})
    assert response.status_code == 401
    assert response.json() == {"statusCode": 401, "message": "Unauthorized."}


def test_another_address_is_forbidden(config, serving):
    with serving(replace(config, allowed_ips=frozenset({"192.0.2.1"}))) as sender:
        response = sender.metrics(metricsType="EXPERIENCE", experienceId="47Gop5")
    assert response.status_code == 403
    assert "data" not in response.json()


def test_it_is_read_and_never_posted_to(sender):
    response = sender.http.post("/v3/touchpoint/metrics")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET"


def test_new_scans_show_at_once_and_a_late_one_stands_at_its_time(sender, remote):
    late, twice = _visit("user-9", "2024-01-02T09:00:00.5Z"), _visit("user-2", "2024-01-02T11:00:00Z")
    remote.add_visits("tp-2", [twice, late])
    response = sender.metrics(metricsType="TOUCHPOINT", touchpointId="tp-2")
    assert [item["userId"] for item in _items(response, "totalVisits")] == ["user-9", "user-2", "user-2"]
    (_, exit_scan) = remote.touchpoints()
    assert exit_scan.visits == (late, twice, twice)


def test_scans_of_no_touchpoint_and_touchpoints_of_one_id_are_refused(remote):
    with pytest.raises(FaultError, match="there is no touchpoint tp-9"):
        remote.add_visits("tp-9", [])
    with pytest.raises(FaultError, match="two touchpoints have the id t-1"):
        remote.replace_touchpoints([_touchpoint(1), _touchpoint(1)])
    assert [one.id for one in remote.touchpoints()] == ["tp-1", "tp-2"]


def test_the_admin_key_is_never_the_shared_key(config):
    with pytest.raises(ValueError, match="must not be the shared"):
        replace(config, distinct_admin_api_key=config.distinct_api_key)
