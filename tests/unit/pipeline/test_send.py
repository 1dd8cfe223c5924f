"""One attempt, as the receiver gets it."""

from collections.abc import Mapping
from pathlib import Path

from consumer.clock import ManualClock
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
    """A sender that remembers the headers and acknowledges."""

    def __init__(self) -> None:
        self.headers: list[Mapping[str, str]] = []

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer | Failure:
        self.headers.append(headers)
        return Answer(200, {}, b'{"statusCode": 200}')

    async def close(self) -> None:
        """Nothing is open."""


def batch() -> Batch:
    partition = TopicPartition("events", 0)
    work = Work(Record("events", 0, 7, 0, b"user-1", b"", None), Assignment(partition, 1, 0, 0), 0)
    return Batch(OPERATION, [Delivery(work, OPERATION, b"{}", Intent(None, "events", 0, 7, 1, "route"))])


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
