"""The adaptive limit over the real sender, against a receiver on a socket whose capacity changes, in real time."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from consumer.core.gate import Gate, GatePolicy
from consumer.http.httptools_sender import HttptoolsSender
from consumer.http.sender import Answer, SenderPolicy
from tests.contract.adaptive.receiver import Receiver

MOST = 64
SERVICE_S = 0.05


class Load:
    """A backlog without end, through a gate."""

    def __init__(self, gate: Gate, sender: HttptoolsSender, url: str) -> None:
        self.gate = gate
        self.delivered = self.refused = 0
        self._sender, self._url = sender, url
        self._freed = asyncio.Event()
        self._acknowledged: list[float] = []

    async def run(self, seconds: float) -> tuple[float, float]:
        """Goes on for so long; gives what was delivered a second then, and the share that was refused."""
        self.delivered = self.refused = 0
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while (now_s := time.monotonic()) < began_s + seconds:
                for _ in range(self.gate.permits(now_s)):
                    group.create_task(self._one(self.gate.start(), now_s))
                self._freed.clear()
                opens_s = self.gate.opens_at_s(now_s)
                try:
                    async with asyncio.timeout(0.1 if opens_s is None else max(0.001, opens_s - now_s)):
                        await self._freed.wait()
                except TimeoutError:
                    continue
        return self.delivered / seconds, self.refused / max(1, self.refused + self.delivered)

    async def _one(self, started: int, sent_s: float) -> None:
        answer = await self._sender.post(self._url, {}, b"{}")
        assert isinstance(answer, Answer), answer
        now_s = time.monotonic()
        if answer.status == 200:
            self.delivered += 1
            self.gate.delivered(started)
            # As the consumer does: what is acknowledged in one turn of the event loop ends together.
            if not self._acknowledged:
                asyncio.get_running_loop().call_soon(self._confirm)
            self._acknowledged.append(sent_s)
        else:
            self.refused += 1
            self.gate.end()
            self.gate.throttled(now_s, None, sent_s)
            self._freed.set()

    def _confirm(self) -> None:
        self.gate.confirmed(self._acknowledged, time.monotonic())
        self._acknowledged.clear()
        self._freed.set()


@pytest.fixture
async def sender() -> AsyncIterator[HttptoolsSender]:
    one = HttptoolsSender(SenderPolicy(max_connections=MOST))
    yield one
    await one.close()


@pytest.fixture(params=[True, False], ids=["429", "queue"])
async def receiver(request: pytest.FixtureRequest) -> AsyncIterator[Receiver]:
    one = await Receiver(48, SERVICE_S, refuses=request.param).start()
    yield one
    await one.close()


@pytest.mark.slow
async def test_a_receiver_that_takes_less_and_then_more_again_is_used_to_nine_tenths_within_30_s(
    sender, receiver
):
    fixed = {}
    for capacity in (12, 48):
        receiver.capacity = capacity
        gate = Gate(GatePolicy(max_in_flight=capacity, adaptive=False), lambda: 0.5)
        fixed[capacity], _ = await Load(gate, sender, receiver.url).run(5.0)
    load = Load(Gate(GatePolicy(max_in_flight=MOST), lambda: 0.5), sender, receiver.url)
    await load.run(10.0)
    for capacity in (12, 48):
        receiver.capacity = capacity
        await load.run(30.0)
        delivered_per_s, refused = await load.run(15.0)
        print(capacity, "fixed", fixed[capacity], "adaptive", delivered_per_s, refused, load.gate.limit)
        assert delivered_per_s >= 0.9 * fixed[capacity]
        assert refused < 0.01
