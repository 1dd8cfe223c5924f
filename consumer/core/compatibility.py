"""The compatibility levels of a schema registry: which pairs of versions have to read each other.

Source: Confluent's documentation, "Schema Evolution and Compatibility".
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

Level = Literal[
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
]
LEVELS: tuple[Level, ...] = get_args(Level)


class Pair(NamedTuple):
    """Data written with one version must be readable with the other; both are positions in the order of versions."""

    reader: int
    writer: int


def pairs_to_prove(level: str, versions: int) -> list[Pair]:
    """What a level demands of the last of so many versions against those before it.

    An unknown level demands nothing: the registry that has it is the one to judge.
    """
    last = versions - 1
    earlier: Sequence[int] = range(last)
    if not level.endswith("_TRANSITIVE"):
        earlier = earlier[-1:]
    kind = level.removesuffix("_TRANSITIVE")
    backward = [Pair(last, one) for one in earlier] if kind in ("BACKWARD", "FULL") else []
    forward = [Pair(one, last) for one in earlier] if kind in ("FORWARD", "FULL") else []
    return backward + forward


def is_weaker(level: str, than: str) -> bool:
    """Whether a level demands less in any respect than another."""
    demanded, now = set(pairs_to_prove(than, 3)), set(pairs_to_prove(level, 3))
    return not demanded <= now
