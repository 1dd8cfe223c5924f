"""Values that a process dies of, played: in the process itself, and in the child that it rehearses in."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from consumer.avro.decoder import Decoder, ShortcutById
from consumer.avro.undecodable import CRASHED
from consumer.types import Record


class Died(BaseException):
    """No `except Exception` stops a crash inside a C library either."""


class Peril:
    """Stands in front of a decoder."""

    def __init__(self, decoder: Decoder, deadly: set[bytes]) -> None:
        self._answer = decoder.answer
        self._deadly = deadly
        self.in_child = False
        self.takes_s = 0.0
        self.rehearsed: list[int] = []
        """How many steps each rehearsal had."""
        self.met: list[int] = []
        """The offsets that were decoded in the process itself, as often as they were."""
        decoder.answer = self.answer  # type: ignore[method-assign]

    def answer(self, records: Sequence[Record], shortcuts: ShortcutById | None) -> list[Any]:
        for record in records:
            if not self.in_child:
                self.met.append(record.offset)
            if record.value in self._deadly:
                raise Died
        return self._answer(records, shortcuts)

    async def rehearse(self, steps: Sequence[Callable[[], object]]) -> Mapping[int, str]:
        """As `Rehearsal`, without a child."""
        self.rehearsed.append(len(steps))
        await asyncio.sleep(self.takes_s)
        return {index: CRASHED for index, step in enumerate(steps) if self._kills(step)}

    def _kills(self, step: Callable[[], object]) -> bool:
        self.in_child = True
        try:
            step()
        except Died:
            return True
        finally:
            self.in_child = False
        return False
