"""What a process in a search has in place of a clock, an API and a decoder."""

from collections.abc import Sequence
from typing import Any

from consumer.types import Origin, Record
from tests.search.turns import StepLoop


class LoopClock:
    """The loop's time, which moves when a timer fires."""

    def __init__(self, loop: StepLoop) -> None:
        self.monotonic_s = loop.time
        self.wall_s = loop.time


class Items:
    """An operation of the played receiver."""

    name = "items"
    path = "/items"
    max_body_bytes = 10_000
    fields = required = frozenset[str]()

    def __init__(self, max_items: int) -> None:
        self.max_items = max_items


class Readable:
    """In place of the decoder: the records need none."""

    light_bytes = 10_000
    native = None

    def __init__(self) -> None:
        self.met: list[Origin] = []
        """The records that it was handed since somebody looked, one by one in a rehearsal."""

    def missing(self, records: Sequence[Record]) -> frozenset[Any]:
        return frozenset()

    def answer(self, records: Sequence[Record], shortcuts: None) -> list[dict[str, Any]]:
        self.met += [one.origin for one in records]
        return [{} for _ in records]
