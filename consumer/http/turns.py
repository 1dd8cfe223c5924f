"""Turns: how many posts are under way at once."""

import asyncio
from collections import deque

from consumer.http.sender import Failure, FailureKind, SenderPolicy


class Turns:
    """Hands out `max_connections` turns, first come, first served. Whoever took one gives it back.

    One bound for both senders: httpx's own would let a post wait for its whole total time-out, and end in doubt.
    """

    def __init__(self, policy: SenderPolicy) -> None:
        self._wait_s = policy.connect_timeout_s
        self._total_s = policy.total_timeout_s
        self._free = policy.max_connections  # above 0 only while nobody waits
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a turn if one is free."""
        if self._free:
            self._free -= 1
            return True
        return False

    async def wait(self) -> float | Failure:
        """Wait for a turn and take it: the seconds that are then left for the post, or why none was had.

        Waits at most `connect_timeout_s`: what is put on the wire in the last moment of its total time-out
        would only end in doubt, while what has not been sent can be sent again.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        turn = loop.create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except (TimeoutError, asyncio.CancelledError) as ended:
            self._leave(turn)
            if isinstance(ended, TimeoutError):
                return Failure(FailureKind.TIMEOUT, "no connection became free in time", sent=False)
            raise
        return max(self._total_s - (loop.time() - began_s), 0.001)

    def give_back(self) -> None:
        """Hand a turn to the one who has waited longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _leave(self, turn: asyncio.Future[None]) -> None:
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif not turn.cancelled():
            self.give_back()  # handed over in the very moment in which we stopped waiting
