"""Touchpoint Scanner Metrics: what is asked, and each row of what is answered."""

import json
from typing import Any

import pytest

from consumer.clock import ManualClock
from consumer.endpoints.outcome import Halted, Rejected, Retry, Unclear
from consumer.endpoints.touchpoint_answers import TouchpointAnswers
from consumer.endpoints.touchpoints import (
    Experience,
    ExperienceQuery,
    ScannedTouchpoint,
    Slice,
    Touchpoint,
    TouchpointCounts,
    TouchpointQuery,
    UserQuery,
    UserScans,
    Visit,
    Visits,
    VisitsType,
    headers,
    parameters,
)
from consumer.http.sender import Answer

OF_EXPERIENCE = ExperienceQuery("47Gop5")
OF_USER = UserQuery("47Gop5", "user-1")
TOTAL = TouchpointQuery("tp-1")
UNIQUE = TouchpointQuery("tp-1", VisitsType.UNIQUE)
FIRST = Slice(0, 50)

EXPERIENCE_DATA = {
    "totalTouchpoints": 2,
    "touchpoints": [
        {"id": "tp-1", "name": "Entry Scan", "value": "entry_scan", "totalVisits": 3, "uniqueVisits": 2},
        {"id": "tp-2", "name": "Exit Scan", "value": "exit_scan", "totalVisits": 1, "uniqueVisits": 1},
    ],
}
USER_DATA = {
    "totalTouchpoints": 2,
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
ITEMS = [
    {"userId": "user-1", "timestampUTC": "2024-01-01T10:00:00Z"},
    {"userId": "user-2", "timestampUTC": "2024-01-02T10:00:00Z"},
]


def visits_data(kind: str = "totalVisits", *, offset: int = 0) -> dict[str, Any]:
    details = {"items": ITEMS, "pagination": {"offset": offset, "pageSize": 50}}
    return {
        "touchpoints": {
            "id": "tp-1",
            "name": "Entry Scan",
            "value": "entry_scan",
            kind: 3,
            f"{kind}Details": details,
        }
    }


@pytest.fixture
def answers() -> TouchpointAnswers:
    return TouchpointAnswers(ManualClock(wall_s=784_111_777.0))


def answer(data: Any, status: int = 200) -> Answer:
    message = "Touchpoint scanner metrics fetched successfully"
    return Answer(status, {}, json.dumps({"statusCode": status, "message": message, "data": data}).encode())


def error(status: int, message: str, **kept: str) -> Answer:
    body = json.dumps({"statusCode": status, "message": message}).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in kept.items()}, body)


@pytest.mark.parametrize(
    ("query", "part", "sent"),
    [
        (
            OF_EXPERIENCE,
            Slice(50, 50),
            {"metricsType": "EXPERIENCE", "experienceId": "47Gop5", "pageSize": "50", "offset": "50"},
        ),
        (OF_USER, None, {"metricsType": "USER", "experienceId": "47Gop5", "userId": "user-1"}),
        (OF_USER, FIRST, {"metricsType": "USER", "experienceId": "47Gop5", "userId": "user-1"}),
        (
            TOTAL,
            FIRST,
            {
                "metricsType": "TOUCHPOINT",
                "touchpointId": "tp-1",
                "visitsType": "TOTAL",
                "pageSize": "50",
                "offset": "0",
            },
        ),
        (
            TouchpointQuery("tp-1", VisitsType.UNIQUE, "47Gop5"),
            FIRST,
            {
                "metricsType": "TOUCHPOINT",
                "touchpointId": "tp-1",
                "visitsType": "UNIQUE",
                "experienceId": "47Gop5",
                "pageSize": "50",
                "offset": "0",
            },
        ),
    ],
)
def test_the_parameters_have_the_pages_names(query, part, sent):
    assert parameters(query, part) == sent


def test_the_key_goes_into_the_pages_header():
    assert headers("admin-key")["x-distinct-api-key"] == "admin-key"


def test_an_experiences_touchpoints_are_read(answers):
    assert answers.read(OF_EXPERIENCE, FIRST, answer(EXPERIENCE_DATA)) == Experience(
        2,
        (
            TouchpointCounts("tp-1", "Entry Scan", "entry_scan", 3, 2),
            TouchpointCounts("tp-2", "Exit Scan", "exit_scan", 1, 1),
        ),
    )


def test_a_users_scans_are_read(answers):
    times = ("2024-01-01T10:00:00Z", "2024-01-03T10:00:00Z")
    assert answers.read(OF_USER, None, answer(USER_DATA)) == UserScans(
        2,
        (
            ScannedTouchpoint(
                id="tp-1", name="Entry Scan", value="entry_scan", total_visits=2, timestamps=times
            ),
        ),
    )


@pytest.mark.parametrize(("query", "kind"), [(TOTAL, "totalVisits"), (UNIQUE, "uniqueVisits")])
def test_a_touchpoints_visits_are_read(answers, query, kind):
    assert answers.read(query, FIRST, answer(visits_data(kind))) == Visits(
        Touchpoint("tp-1", "Entry Scan", "entry_scan"),
        3,
        0,
        (Visit("user-1", "2024-01-01T10:00:00Z"), Visit("user-2", "2024-01-02T10:00:00Z")),
    )


def test_the_visits_of_another_type_are_no_answer(answers):
    assert answers.read(TOTAL, FIRST, answer(visits_data("uniqueVisits"))) == Halted("undocumented success")


def test_another_page_than_the_one_asked_for_is_no_answer(answers):
    # A server that ignores `offset` would give the first page again and again: visits twice.
    assert isinstance(answers.read(TOTAL, Slice(50, 50), answer(visits_data(offset=0))), Halted)
    assert isinstance(answers.read(TOTAL, Slice(50, 50), answer(visits_data(offset=50))), Visits)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>sign in</html>",
        b"{}",
        b'{"statusCode":200}',
        b'{"statusCode":200,"data":null}',
        b'{"statusCode":200,"data":{}}',
        b'{"statusCode":200,"data":{"totalTouchpoints":0}}',
        b'{"statusCode":200,"data":{"totalTouchpoints":-1,"touchpoints":[]}}',
        b'{"statusCode":500,"data":{"totalTouchpoints":0,"touchpoints":[]}}',
        b'{"statusCode":200,"data":{"totalTouchpoints":0,"touchpoints":[{"id":"tp-1"}]}}',
        b'{"statusCode":200,"data":{"totalTouchpoints":0,"touchpoints":[]}',
        b'{"statusCode":200,"data":' + b"[" * 60_000,
    ],
)
def test_a_200_of_any_other_shape_is_not_taken_for_no_touchpoints(answers, body):
    assert answers.read(OF_EXPERIENCE, FIRST, Answer(200, {}, body)) == Halted("undocumented success")


def test_fields_that_the_page_does_not_have_are_no_harm(answers):
    data = {**EXPERIENCE_DATA, "more": [1]}

    assert isinstance(answers.read(OF_EXPERIENCE, FIRST, answer(data)), Experience)


@pytest.mark.parametrize("what", ["Experience", "User", "Touchpoint"])
def test_a_documented_404_says_what_is_not_there(answers, what):
    assert answers.read(TOTAL, FIRST, error(404, f"{what} not found")) == Rejected(f"{what} not found", 404)


def test_any_other_404_is_a_wrong_address(answers):
    assert answers.read(TOTAL, FIRST, Answer(404, {}, b"Not Found")) == Halted("404 unknown path")


@pytest.mark.parametrize("name", ["metricsType", "experienceId", "userId", "touchpointId"])
def test_a_missing_parameter_is_named(answers, name):
    text = f"Missing required parameter: {name}"

    assert answers.read(TOTAL, FIRST, error(400, text)) == Rejected(text, 400)


def test_the_text_of_any_other_400_is_not_repeated(answers):
    found = answers.read(TOTAL, FIRST, error(400, "you sent x-distinct-api-key: hunter2"))

    assert found == Rejected("400 bad request: a parameter is missing or invalid", 400)


@pytest.mark.parametrize(("status", "word"), [(401, "unauthorized"), (403, "forbidden"), (302, "redirect")])
def test_what_asking_again_cannot_mend_halts(answers, status, word):
    found = answers.read(TOTAL, FIRST, error(status, "No."))

    assert isinstance(found, Halted)
    assert word in found.reason


@pytest.mark.parametrize("status", [500, 502, 503, 504, 418])
def test_a_servers_trouble_is_worth_another_attempt(answers, status):
    assert isinstance(answers.read(TOTAL, FIRST, error(status, "No.")), Unclear)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0), ("9999", 300.0)]
)
def test_a_retry_after_is_honoured_up_to_a_bound(answers, status, value, seconds):
    found = answers.read(TOTAL, FIRST, error(status, "Later.", retry_after=value))

    assert isinstance(found, Retry | Unclear)
    assert found.after_s == seconds
