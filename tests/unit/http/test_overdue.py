"""Waits that their client does not end in time."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.http import pyreqwest_sender
from consumer.http.overdue import Overdue
from consumer.http.pyreqwest_sender import PyreqwestSender
from consumer.http.sender import Answer, Failure, FailureKind, SenderPolicy
from tests.contract.senders.receiver import Receiver, Seen, Wire, response
from tests.unit.pipeline.virtual_time import in_virtual_time, loop


async def waited(overdue: Overdue, wait_s: float) -> str:
    waiting = overdue.begin()
    try:
        await asyncio.sleep(wait_s)
    except asyncio.CancelledError:
        if not overdue.was_it(waiting):
            raise
        return "interrupted"
    finally:
        overdue.end(waiting)
    return "ended"


@in_virtual_time
async def test_each_wait_is_interrupted_at_its_own_limit_and_the_others_go_on():
    overdue, ends = Overdue(10.0), []

    async def one(after_s: float, wait_s: float) -> None:
        await asyncio.sleep(after_s)
        ends.append((await waited(overdue, wait_s), loop().time() - began_s))

    began_s = loop().time()
    await asyncio.gather(one(0.0, 99.0), one(1.0, 5.0), one(4.0, 99.0), one(30.0, 99.0))

    assert [how for how, _ in ends] == ["ended", "interrupted", "interrupted", "interrupted"]
    assert [at_s for _, at_s in ends] == pytest.approx([6.0, 10.0, 14.0, 40.0], abs=0.1)


@in_virtual_time
async def test_a_task_that_was_interrupted_goes_on_undisturbed():
    overdue = Overdue(1.0)
    assert await waited(overdue, 5.0) == "interrupted"
    async with asyncio.timeout(5.0):
        await asyncio.sleep(2.0)
    assert await waited(overdue, 0.5) == "ended"


@in_virtual_time
async def test_who_cancels_from_outside_is_obeyed_also_in_the_very_moment_of_the_limit():
    overdue = Overdue(1.0)
    for at_s in (0.5, 1.0):
        task = loop().create_task(waited(overdue, 5.0))
        loop().call_later(at_s, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_client_whose_own_timeout_does_not_come_is_given_up_a_moment_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when its threads are flooded; the next request finds the sender as it was."""

    def without_a_timeout(policy: SenderPolicy, build: Any = pyreqwest_sender._build_client) -> Any:
        return build(replace(policy, total_timeout_s=600.0))

    async def stay_silent(wire: Wire, seen: Seen) -> None:
        if seen.body == b"first":
            await wire.reader.read(1)
        else:
            await wire.write(response(200, b"ok"))

    monkeypatch.setattr(pyreqwest_sender, "_build_client", without_a_timeout)
    receiver = await Receiver(stay_silent).start()
    sender = PyreqwestSender(
        SenderPolicy(connect_timeout_s=0.2, total_timeout_s=0.2, max_connections=1, max_body_bytes=100)
    )

    async with asyncio.timeout(30.0):
        result = await sender.post(receiver.url(), {}, b"first")
        after = await sender.post(receiver.url(), {}, b"second")

    assert isinstance(result, Failure)
    assert (result.kind, result.sent) == (FailureKind.TIMEOUT, True)
    assert isinstance(after, Answer)
    await sender.close()
    await receiver.close()
