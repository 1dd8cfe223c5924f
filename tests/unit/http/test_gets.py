"""Asking for something: like a POST in all that protects the key, and without a body."""

import asyncio

import pytest

from consumer.http.httpx_sender import HttpxSender
from consumer.http.sender import Answer, Failure, FailureKind, SenderPolicy
from tests.contract.senders.receiver import Receiver, Seen, Wire, answering, response

HEADERS = {"x-distinct-api-key": "admin-key"}


async def get(receiver: Receiver, path: str, **policy: float) -> Answer | Failure:
    sender = HttpxSender(SenderPolicy(**policy))  # type: ignore[arg-type]
    try:
        return await sender.get(receiver.url(path), HEADERS)
    finally:
        await sender.close()


async def test_the_query_and_the_key_arrive_as_they_were_given() -> None:
    receiver = await Receiver(answering(response(200, b"{}"))).start()

    answer = await get(receiver, "/v3/x?experienceId=a%26b%20%C3%BC&offset=0")

    await receiver.close()
    assert isinstance(answer, Answer)
    [seen] = receiver.seen
    assert seen.target == "/v3/x?experienceId=a%26b%20%C3%BC&offset=0"
    assert seen.headers["x-distinct-api-key"] == "admin-key"
    assert "content-length" not in seen.headers


async def test_a_redirect_is_an_answer_and_the_key_goes_nowhere_else() -> None:
    elsewhere = await Receiver(answering(response(200))).start()
    receiver = await Receiver(answering(response(307, b"", f"Location: {elsewhere.url()}"))).start()

    answer = await get(receiver, "/v3/x")

    await receiver.close()
    await elsewhere.close()
    assert isinstance(answer, Answer)
    assert answer.status == 307
    assert elsewhere.seen == []


async def test_an_answer_that_does_not_come_is_a_time_out() -> None:
    async def silent(wire: Wire, seen: Seen) -> None:
        await asyncio.sleep(60)

    receiver = await Receiver(silent).start()

    answer = await get(receiver, "/v3/x", connect_timeout_s=0.1, total_timeout_s=0.1)

    await receiver.close()
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.TIMEOUT


async def test_an_answer_beyond_the_bound_is_a_failure() -> None:
    receiver = await Receiver(answering(response(200, b"x" * 2000))).start()

    answer = await get(receiver, "/v3/x", max_body_bytes=1000)

    await receiver.close()
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.BODY_TOO_LARGE


async def test_nothing_is_asked_after_the_end() -> None:
    sender = HttpxSender(SenderPolicy())
    await sender.close()

    with pytest.raises(RuntimeError, match=r"get\(\) after close"):
        await sender.get("http://127.0.0.1:1/", HEADERS)
