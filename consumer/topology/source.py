"""A route written out as Python: one function, made once, instead of a tree of closures walked for each record.

What comes out for a route with a condition, a template and a path:

    def apply(opened, record):
        b0 = opened[0]
        b1 = opened[1]
        if not ((v := b1.get('action')) is not None and one_of1(v)): return None
        f2 = {}
        v = b0.get('id')
        if v is None: return unmapped3
        f2['event_id'] = v if v.__class__ is str else plain(v)
        …

`opened` are the boxes of the record (boxes.py), b0, b1 … those that this route asks; `v` is for at once. That nearly
halves what a record costs between its decoding and its body (docs/performance.md).

Nothing of a topology becomes source but texts, as literals that `ascii` wrote; everything else is reached through the
scope, under names made here.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from consumer.topology.boxes import Spot

_SCOPE: Mapping[str, Any] = {
    # Without the builtins: what the source may refer to is what stands here.
    "__builtins__": {"str": str},
}


class Source:
    """Gathers what one function refers to, while others write its lines."""

    def __init__(self) -> None:
        self._scope: dict[str, Any] = dict(_SCOPE)
        self._names: dict[int, str] = {}
        self._count = 0
        self._boxes: set[int] = set()

    def name(self, prefix: str) -> str:
        """A new name."""
        self._count += 1
        return f"{prefix}{self._count}"

    def constant(self, prefix: str, value: Any) -> str:
        """The name by which the source refers to an object. Asked twice for one object it gives one name."""
        name = self._names.get(id(value))
        if name is None:
            # The scope keeps the object, so that no other one gets its id.
            name = self._names[id(value)] = self.name(prefix)
            self._scope[name] = value
        return name

    def spot(self, spot: Spot) -> str:
        """The expression for the value at a spot, or None."""
        box, name = spot
        self._boxes.add(box)
        return f"b{box}.get({name!a})"

    def function(self, lines: Iterable[str]) -> Callable[..., Any]:
        """The function of these lines: (opened, record) -> whatever they return."""
        body = list(lines)
        opening = [f"b{box} = opened[{box}]" for box in sorted(self._boxes)]
        text = "\n".join(["def apply(opened, record):", *(f"    {line}" for line in (*opening, *body)), ""])
        exec(text, self._scope)  # why that is safe for any topology: see above
        function: Callable[..., Any] = self._scope["apply"]
        return function
