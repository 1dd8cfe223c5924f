"""What a timer of a process is for."""

import asyncio
from typing import Any


def timer_name(timer: asyncio.TimerHandle) -> str:
    """What a timer is for, the same in all states that have it."""
    callback: Any = timer._callback  # type: ignore[attr-defined]
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Timeout):
        task: Any = owner._task  # type: ignore[attr-defined]
        return f"deadline of {task.get_coro().__qualname__}"
    return f"{callback.__qualname__}{tuple(timer._args)}"  # type: ignore[attr-defined]


def reclaimed(timer: asyncio.TimerHandle) -> tuple[int, int]:
    """The partition and the epoch that a timer is going to ask back for."""
    partition, epoch = timer._args  # type: ignore[attr-defined]
    return partition.partition, epoch
