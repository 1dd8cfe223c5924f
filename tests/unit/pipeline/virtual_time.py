"""An event loop whose time jumps to the next timer instead of waiting for it: hours pass in milliseconds, and a
test's timers fire in one order only."""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

from consumer.clock import Clock

START_S = 1_000.0
NOON_S = 1_800_000_000.0


class _Selector(selectors.DefaultSelector):
    """Waits for nothing: where the loop would sleep, its time moves on."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> Any:
        if self.loop.failures:
            raise self.loop.failures[0]
        self.loop.each_turn()
        if timeout is None:
            raise AssertionError("everybody waits and no timer is set: this would hang for ever")
        self.loop.now_s += max(0.0, timeout)
        self.loop.turns += 1
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """One thread, no I/O. `each_turn` is called between any two turns of the loop."""

    def __init__(self) -> None:
        self.now_s = START_S
        self.turns = 0
        self.each_turn: Callable[[], None] = lambda: None
        self.failures: list[BaseException] = []
        self.at_the_end: list[Callable[[], Coroutine[Any, Any, None]]] = []
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self.set_exception_handler(self._failed)

    def time(self) -> float:
        return self.now_s

    @property
    def idle(self) -> bool:
        """Nothing but timers is left to run."""
        return not self._ready  # type: ignore[attr-defined]

    def _failed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.failures.append(context.get("exception") or AssertionError(context["message"]))


class LoopClock(Clock):
    """The loop's time as the consumer's clocks."""

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    def wall_s(self) -> float:
        return NOON_S + asyncio.get_running_loop().time() - START_S


def loop() -> VirtualLoop:
    """The running one."""
    running = asyncio.get_running_loop()
    assert isinstance(running, VirtualLoop)
    return running


async def quiet() -> None:
    """Let everything run that needs no time to pass."""
    for _ in range(10_000):
        await asyncio.sleep(0)
        if loop().idle:
            return
    raise AssertionError("the loop never comes to rest")


async def until(condition: Callable[[], bool], within_s: float = 120.0) -> None:
    """Let time pass until this is so."""
    limit_s = loop().now_s + within_s
    await quiet()
    while not condition():
        assert loop().now_s < limit_s, f"not so within {within_s:g} s"
        await asyncio.sleep(0.01)
        await quiet()


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run it to its end in virtual time; a callback that raised fails it."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        virtual = runner.get_loop()
        assert isinstance(virtual, VirtualLoop)
        try:
            runner.run(scenario)
        finally:
            virtual.each_turn = lambda: None
            virtual.failures.clear()
            for close in virtual.at_the_end:
                runner.run(close())


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test as a coroutine that runs in virtual time."""

    @functools.wraps(test)
    def scenario(*arguments: Any, **named: Any) -> None:
        run(test(*arguments, **named))

    return scenario
