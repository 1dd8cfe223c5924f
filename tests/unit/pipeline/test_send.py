"""One attempt, as the receiver gets it."""

import logging
from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any

import pytest

from consumer.clock import ManualClock
from consumer.endpoints.capture_analytics import CaptureAnalytics, CaptureAnalyticsOptions
from consumer.endpoints.endpoint import Operation
from consumer.endpoints.outcome import Rejected
from consumer.endpoints.user_analytics import UserAnalytics
from consumer.http.sender import Answer, Failure
from consumer.http.urls import BaseUrl, parse_base_url
from consumer.ledger.ledger import Intent
from consumer.pipeline.batch import Batch
from consumer.pipeline.send import Post
from consumer.pipeline.work import Assignment, Delivery, Work
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.spans import Tracing
from consumer.topology.credential import FileCredential
from consumer.types import Record, TopicPartition

OPERATION = UserAnalytics(ManualClock())


class Wire:
    """A sender that remembers what it was given and acknowledges."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.urls: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[bytes] = []
        self._answer = answer or Answer(200, {}, b'{"statusCode": 200}')

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, begin_by_s: float = inf
    ) -> Answer | Failure:
        self.urls.append(url)
        self.headers.append(headers)
        self.bodies.append(body)
        return self._answer

    async def close(self) -> None:
        """Nothing is open."""


def batch(operation: Operation = OPERATION, item: bytes = b"{}") -> Batch:
    partition = TopicPartition("events", 0)
    work = Work(Record("events", 0, 7, 0, b"user-1", b"", None), Assignment(partition, 1, 0, 0), 0)
    return Batch(operation, [Delivery(work, operation, item, Intent(None, "events", 0, 7, 1, "route"))])


def post_to(wire: Wire) -> Post:
    base_url = parse_base_url("https://api.example.com")
    assert isinstance(base_url, BaseUrl)
    return Post("a", wire, base_url, lambda: "key", Metrics().destination("a"), Tracing(None, "g"))


async def test_a_rotated_credential_is_sent_and_the_log_hears_of_it_first(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("first-key")
    base_url = parse_base_url("https://api.example.com", allow_plain_http=False)
    assert isinstance(base_url, BaseUrl)
    wire, heard = Wire(), list[str]()
    credential = FileCredential(f"file:{file}", file).read
    post = Post("a", wire, base_url, credential, Metrics().destination("a"), Tracing(None, "g"), heard.append)

    await post.send(batch())
    await post.send(batch())
    (tmp_path / "new").write_text("second-key")
    (tmp_path / "new").rename(file)
    await post.send(batch())

    assert [sent["x-distinct-api-key"] for sent in wire.headers] == ["first-key", "first-key", "second-key"]
    assert heard == ["first-key", "second-key"]


async def test_an_attempt_again_has_the_same_key_for_its_receiver() -> None:
    base_url = parse_base_url("https://api.example.com", allow_plain_http=False)
    assert isinstance(base_url, BaseUrl)
    wire, one = Wire(), batch()
    post = Post("a", wire, base_url, lambda: "key", Metrics().destination("a"), Tracing(None, "g"))

    await post.send(one)
    await post.send(one)

    first, second = (sent["Idempotency-Key"] for sent in wire.headers)
    assert first == second
    assert len(first) == 32


CAPTURE = CaptureAnalytics(
    ManualClock(), CaptureAnalyticsOptions(migrate=True, experiences={"fifa": "47Gop5", "uefa": "47Gop6"})
)


def capture(kind: str, experience: str, **more: Any) -> Batch:
    item = CAPTURE.encode(
        {
            "type": kind,
            "experienceValue": experience,
            "eventValue": "e",
            "recordCapturedAt": "2026-04-27T13:35:00Z",
            "sessionId": "s",
            "registrationPageValue": "p",
            **more,
        }
    )
    assert isinstance(item, bytes), item
    return batch(CAPTURE, item)


async def test_each_item_goes_to_its_own_path_and_nothing_of_that_into_the_body() -> None:
    wire = Wire()
    post = post_to(wire)

    await post.send(capture("REGISTRATION_PAGE_VISIT", "fifa"))
    await post.send(capture("REGISTRATION_PAGE_VISIT", "uefa"))
    await post.send(capture("PHOTO_VIEWED_BY_USER", "uefa", email="a@x.example"))

    assert [url.removeprefix("https://api.example.com") for url in wire.urls] == [
        "/api/v1/analytics/capture/fifa",
        "/api/v1/analytics/capture/uefa",
        "/api/v1/user/analytics",
    ]
    assert [body[:1] for body in wire.bodies] == [b"{"] * 3
    assert all(sent["x-distinct-api-key"] == "key" for sent in wire.headers)


async def test_an_answer_is_read_by_the_table_of_the_path_it_came_from() -> None:
    post = post_to(Wire(Answer(404, {}, b'{"statusCode":404,"message":"Experience not found.","data":null}')))

    kept = await post.send(capture("REGISTRATION_PAGE_VISIT", "fifa"))
    migrated = await post.send(capture("PHOTO_VIEWED_BY_USER", "fifa", email="a@x.example"))

    assert isinstance(kept, Rejected)
    assert not isinstance(migrated, Rejected)


async def test_a_deprecated_path_is_warned_of_once_when_it_is_used(caplog: pytest.LogCaptureFixture) -> None:
    post = post_to(Wire())
    with caplog.at_level(logging.WARNING, "consumer.run"):
        await post.send(capture("PHOTO_VIEWED_BY_USER", "fifa", email="a@x.example"))
        assert not caplog.records
        await post.send(capture("REGISTRATION_PAGE_VISIT", "fifa"))
        await post.send(capture("REGISTRATION_PAGE_VISIT", "uefa"))

    (warning,) = caplog.records
    assert "deprecated" in warning.getMessage()
    assert warning.__dict__["destination"] == "a"
