"""The containers of a record that paths lead through, opened once for all paths of all routes.

A mapping asks for `payload.feature`, `payload.action` and `payload.url`: the way to `payload` is walked once,
not three times. A path then is a number (which box) and a name.
"""

from collections.abc import Callable
from typing import Any, cast

from consumer.topology.paths import Path

Box = dict[str, Any]
Boxes = list[Box]
Spot = tuple[int, str]
"""Which box, and the name in it."""

_NOTHING: Box = {}
"""Stands for a container that is absent, null or no container: shared, and never written to."""


class BoxPlan:
    """Collects what paths lead through, while routes are compiled; then opens it, record by record."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {(): 0}
        self._steps: list[Spot] = []

    def spot(self, path: Path) -> Spot:
        """Where the value of a path will be found."""
        return self._number(path.prefix), path.name

    def opener(self) -> Callable[[Box], Boxes]:
        """From a record to its boxes; box 0 is the record. To be asked for when all spots are known.

        Written out, a line after another instead of a loop: every record of a topic passes here. Nothing becomes source
        but names, as literals that `ascii` wrote.
        """
        lines = ["def open_boxes(b0):"]
        for number, (parent, name) in enumerate(self._steps, 1):
            box = f"b{number}"
            lines.append(f"    {box} = b{parent}.get({name!a})")
            lines.append(
                f"    if {box}.__class__ is tuple: {box} = {box}[1]"
            )  # in a union: (full name, record)
            lines.append(f"    if {box}.__class__ is not dict: {box} = NOTHING")
        boxes = ", ".join(f"b{number}" for number in range(len(self._numbers)))
        scope = {"__builtins__": {"tuple": tuple, "dict": dict}, "NOTHING": _NOTHING}
        exec("\n".join([*lines, f"    return [{boxes}]", ""]), scope)
        opener: Any = scope["open_boxes"]
        return cast(Callable[[Box], Boxes], opener)

    def _number(self, prefix: tuple[str, ...]) -> int:
        number = self._numbers.get(prefix)
        if number is None:
            self._steps.append((self._number(prefix[:-1]), prefix[-1]))
            number = self._numbers[prefix] = len(self._numbers)
        return number
