"""Reading metrics whole: all pages, and asking again."""

import pytest

from consumer.endpoints.touchpoints import ExperienceQuery, TouchpointQuery, UserQuery, VisitsType
from consumer.http.sender import Answer, Failure, FailureKind
from consumer.operations.touchpoint_metrics import Denied, ExperienceMetrics, Progress, TouchpointVisits
from tests.unit.operations.stage import Sleeps, metrics_of
from tests.unit.operations.vendor import EXPERIENCE, Vendor, touchpoint, visit

OF_TP_1 = TouchpointQuery("tp-1")
SCANS = [visit(f"user-{number % 3}", f"2024-01-0{number}T10:00:00Z") for number in range(1, 6)]
BUSY = Answer(429, {"retry-after": "7"}, b"")
BROKEN = Answer(500, {}, b"")
RESET = Failure(FailureKind.RESET, "the connection ended before the answer did", sent=True)


def a_vendor(*, experience_pages: bool = True) -> Vendor:
    return Vendor(
        touchpoint("tp-1", *SCANS),
        touchpoint("tp-2"),
        touchpoint("tp 3&x=ü", SCANS[0]),
        experience_pages=experience_pages,
    )


@pytest.mark.parametrize("page_size", [1, 2, 5, 50])
async def test_all_visits_come_whatever_the_page_size(page_size: int) -> None:
    found = await metrics_of(a_vendor(), page_size=page_size).visits(OF_TP_1)

    assert isinstance(found, TouchpointVisits)
    assert [(one.user_id, one.timestamp) for one in found.visits] == [
        (scan.user_id, scan.timestamp_utc) for scan in SCANS
    ]
    assert found.complete


async def test_unique_visits_are_the_first_of_each_user() -> None:
    found = await metrics_of(a_vendor()).visits(TouchpointQuery("tp-1", VisitsType.UNIQUE))

    assert isinstance(found, TouchpointVisits)
    assert [one.user_id for one in found.visits] == ["user-1", "user-2", "user-0"]
    assert found.total == 3


@pytest.mark.parametrize("experience_pages", [True, False])
async def test_all_touchpoints_come_whichever_way_the_page_is_read(experience_pages: bool) -> None:
    vendor = a_vendor(experience_pages=experience_pages)

    found = await metrics_of(vendor).experience(ExperienceQuery(EXPERIENCE))

    assert isinstance(found, ExperienceMetrics)
    assert [(one.id, one.total_visits) for one in found.touchpoints] == [
        ("tp-1", 5),
        ("tp-2", 0),
        ("tp 3&x=ü", 1),
    ]
    assert found.complete
    assert len(vendor.asked) == (2 if experience_pages else 1)


async def test_an_id_with_strange_characters_is_asked_for_as_it_is() -> None:
    found = await metrics_of(a_vendor()).visits(TouchpointQuery("tp 3&x=ü"))

    assert isinstance(found, TouchpointVisits)
    assert found.touchpoint.id == "tp 3&x=ü"


async def test_a_visit_that_comes_in_between_is_there_after_another_pass() -> None:
    vendor = a_vendor()
    vendor.late = [("tp-1", visit("user-9", "2023-01-01T10:00:00Z"))]

    found = await metrics_of(vendor).visits(OF_TP_1)

    assert isinstance(found, TouchpointVisits)
    assert found.complete
    assert len(found.visits) == len({one.timestamp for one in found.visits}) == 6


async def test_a_touchpoint_that_never_rests_ends_the_reading_and_makes_nothing_up() -> None:
    vendor = a_vendor()
    vendor.late = [("tp-1", visit("user-9", f"2023-01-01T10:{minute:02}:00Z")) for minute in range(60)]

    found = await metrics_of(vendor).visits(OF_TP_1)

    assert isinstance(found, TouchpointVisits)
    assert not found.complete
    times = [one.timestamp for one in found.visits]
    assert len(times) == len(set(times))


async def test_what_may_pass_is_asked_again_and_the_answer_is_whole() -> None:
    vendor, sleep = a_vendor(), Sleeps()
    vendor.answers = [BROKEN, RESET, BUSY]

    found = await metrics_of(vendor, sleep=sleep).visits(OF_TP_1)

    assert isinstance(found, TouchpointVisits)
    assert found.complete
    assert len(found.visits) == 5
    # Backoff at first; at last what the API asked for.
    assert sleep.slept_s == [1.0, 2.0, 7.0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(BROKEN, "500 internal server error"), (BUSY, "429 too many requests"), (RESET, "connection lost")],
)
async def test_what_does_not_pass_is_given_up_with_its_reason(answer: Answer | Failure, reason: str) -> None:
    vendor = a_vendor()
    vendor.answers = [answer] * 9

    found = await metrics_of(vendor).user(UserQuery(EXPERIENCE, "user-1"))

    assert isinstance(found, Denied)
    assert reason in found.reason
    assert "4 times" in found.reason
    assert len(vendor.asked) == 4


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401, {}, b'{"statusCode":401,"message":"Unauthorized."}'),
        Answer(403, {}, b""),
        Answer(302, {}, b""),
        Answer(200, {}, b"<html>"),
        Failure(FailureKind.TLS, "connecting: certificate has expired", sent=False),
    ],
)
async def test_what_asking_again_cannot_mend_is_asked_once(answer: Answer | Failure) -> None:
    vendor, sleep = a_vendor(), Sleeps()
    vendor.answers = [answer]

    assert isinstance(await metrics_of(vendor, sleep=sleep).visits(OF_TP_1), Denied)
    assert len(vendor.asked) == 1
    assert sleep.slept_s == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (TouchpointQuery("tp-9"), "Touchpoint not found"),
        (TouchpointQuery("tp-1", experience_id="x"), "Experience not found"),
    ],
)
async def test_what_is_not_there_is_said(query: TouchpointQuery, reason: str) -> None:
    assert await metrics_of(a_vendor()).visits(query) == Denied(reason)


async def test_progress_counts_and_says_why_it_waits() -> None:
    vendor, told = a_vendor(), list[Progress]()
    vendor.answers = [BUSY]

    await metrics_of(vendor, on_progress=told.append).visits(OF_TP_1)

    assert "429 too many requests; asking again in 7.0 s" in [one.waiting for one in told]
    assert (told[-1].requests, told[-1].taken, told[-1].total, told[-1].waiting) == (4, 5, 5, "")
