"""The calls of one process on its ledger: in their order, those that wait together in one round trip."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import msgspec

from consumer.clock import Clock
from consumer.errors import ConfigurationError, LedgerUnavailable
from consumer.ledger.owner import FORGET_MS, Owner
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.unique import new_owner
from consumer.ledger.valkey_fitness import judge
from consumer.ledger.valkey_link import Call, Link, Reply
from consumer.ledger.valkey_rows import Argument, token_bytes
from consumer.ledger.valkey_scripts import BEAT, OPEN, Script

FORMAT = 1
"""The version this release writes. It reads this and the one before, if there was one."""

_MOST_CALLS = 32
"""Of one round trip: the server does nothing else meanwhile."""


class _Waiting(msgspec.Struct, frozen=True):
    call: Call
    answer: asyncio.Future[Reply]


class Calls:
    """Sends scripts, keeps the owner's lease, and notices when the ledger is not the one it opened.

    Then it goes on with the one that is there, and tells: what is lost lets duplicates through, and nothing else.
    """

    def __init__(self, link: Link, policy: LedgerPolicy, clock: Clock, time_of_store: Clock | None) -> None:
        """`time_of_store`: None for the server's own, by which the leases of all processes go."""
        self._link = link
        self._policy = policy
        self._clock = clock
        self._time_of_store = time_of_store
        self._owner = Owner(policy.lease_s)
        self._ledger_id = ""
        self._unfit: str | None = None
        self._waiting: list[_Waiting] = []
        self._sending: asyncio.Task[None] | None = None
        self._pulse: asyncio.Task[None] | None = None
        self.on_loss: Callable[[str], None] = lambda _: None
        self.advice: Sequence[str] = ()

    async def open(self) -> None:
        """Find the ledger or make it, and register as an owner. Raises LedgerUnavailable, and ConfigurationError
        where the server must not be used or the ledger is a newer release's."""
        if self._pulse is not None:
            return
        self._link.open()
        try:
            await self._examine()
            await self._find()
            self._owner.forget()
            [reply] = await self._send([Call(BEAT, [FORGET_MS])])
            if isinstance(reply, LedgerUnavailable):
                raise reply
        except BaseException:
            await self._link.close()
            raise
        self._pulse = asyncio.create_task(self._keep_beating(), name="ledger-heartbeat")

    async def close(self) -> None:
        """Answer what waits, end the heartbeat, disconnect. The owner stays and lapses by itself: a request may still
        be on the wire, and others shall wait for it. Idempotent."""
        pulse, self._pulse = self._pulse, None
        if pulse is None:
            return
        pulse.cancel()
        await asyncio.gather(pulse, return_exceptions=True)
        if self._sending is not None:
            await asyncio.gather(self._sending, return_exceptions=True)
        await self._link.close()

    async def run(self, script: Script, arguments: Sequence[Argument]) -> Reply:
        """What the script answers, behind `ok` and the owner. A caller that is cancelled leaves its call behind: it is
        still done."""
        if self._pulse is None:
            raise LedgerUnavailable("the ledger is closed: open it first")
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(Call(script, arguments), answer))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._work_off(), name="ledger-calls")
        return await answer

    async def _work_off(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST_CALLS], self._waiting[_MOST_CALLS:]
            try:
                if self._unfit is not None:
                    raise self._link.unavailable(self._unfit)
                replies = await self._send([one.call for one in batch])
            except Exception as error:
                _fail([one.answer for one in batch], error)
            else:
                for one, reply in zip(batch, replies, strict=True):
                    if isinstance(reply, LedgerUnavailable):
                        _fail([one.answer], reply)
                    elif not one.answer.done():
                        one.answer.set_result(reply)

    async def _send(self, calls: Sequence[Call]) -> list[Reply | LedgerUnavailable]:
        """The replies to all, from one and the same ledger; what the server refused is a reply too."""
        for _ in range(3):
            ledger_id = self._ledger_id
            replies = await self._attempt(calls)
            if not any(_says(reply, b"lost") for reply in replies):
                return [reply if isinstance(reply, LedgerUnavailable) else reply[2:] for reply in replies]
            # All again: what an earlier call of these wrote may be gone as well, and each may be repeated.
            await self._find()
            if self._ledger_id != ledger_id:
                self.on_loss(
                    str(
                        self._link.unavailable(
                            "it was flushed, or another one stands in its place: what it knew is lost, and duplicates "
                            "can be sent"
                        )
                    )
                )
        raise self._link.unavailable(
            "it is replaced again and again: see who flushes it or where LEDGER_URL leads"
        )

    async def _attempt(self, calls: Sequence[Call]) -> list[Reply | LedgerUnavailable]:
        now_ms = int(self._clock.monotonic_s() * 1000)
        due = self._owner.due(now_ms)
        # All of them: each must know who we are from now on, should the lease have been missed.
        common = self._common(due=due)
        try:
            replies = await self._link.run([Call(call.script, [*common, *call.arguments]) for call in calls])
        except BaseException:
            # Whether the heartbeat was taken is not known.
            self._owner.forget()
            raise
        for call, reply in zip(calls, replies, strict=True):
            if call.script.beats and not isinstance(reply, LedgerUnavailable) and reply[0] == b"ok":
                self._owner.id = int.from_bytes(reply[1], "big")
                if due:
                    self._owner.beat(now_ms)
        return replies

    def _common(self, *, due: bool) -> list[Argument]:
        now_ms: Argument = ""
        wall_ms: Argument = ""
        if self._time_of_store is not None:
            now_ms = int(self._time_of_store.monotonic_s() * 1000)
            wall_ms = int(self._time_of_store.wall_s() * 1000)
        return [
            self._ledger_id,
            token_bytes(self._owner.id),
            token_bytes(new_owner()),
            int(due),
            int(self._policy.lease_s * 1000),
            now_ms,
            wall_ms,
        ]

    async def _examine(self) -> None:
        """Raises what stands against this server."""
        fitness = judge(*await self._link.told())
        self.advice = [f"ledger: {text}" for text in fitness.advice]
        if fitness.mistake is not None:
            self._unfit = fitness.mistake
            raise ConfigurationError([f"LEDGER_URL: {self._link.unavailable(fitness.mistake)}"])
        self._unfit = None
        if fitness.trouble is not None:
            raise self._link.unavailable(fitness.trouble)

    async def _find(self) -> None:
        [reply] = await self._link.run([Call(OPEN, [uuid4().hex, FORMAT])])
        if isinstance(reply, LedgerUnavailable):
            raise reply
        found, value = reply
        if found == b"newer":
            raise ConfigurationError(
                [
                    f"LEDGER_URL: it has format {int(value)}, written by a newer release; this one reads up to format "
                    f"{FORMAT}: run the newer release, or name another database"
                ]
            )
        self._ledger_id = bytes(value).decode()

    async def _keep_beating(self) -> None:
        # Not for ever: the client's `asyncio.wait_for` loses a cancellation that comes as its wait ends (Python 3.11).
        while self._pulse is not None:
            await asyncio.sleep(self._policy.lease_s / 3)
            # A beat that fails is no news: the next call meets the same server, and tells.
            with suppress(LedgerUnavailable, ConfigurationError):
                await self._examine()
                await self.run(BEAT, [FORGET_MS])


def _says(reply: Reply | LedgerUnavailable, word: bytes) -> bool:
    return not isinstance(reply, LedgerUnavailable) and reply[0] == word


def _fail(answers: Sequence[asyncio.Future[Any]], error: Exception) -> None:
    for answer in answers:
        if not answer.done():
            # One each: a traceback grows on whoever raises it. A fault while it runs, whatever it is at a start.
            answer.set_exception(LedgerUnavailable(str(error)))
