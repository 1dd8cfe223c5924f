"""Operations whose `encode` is rules and nothing else: what native code may do in its place."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from consumer.endpoints.fields import Rules


class Pair(msgspec.Struct, frozen=True):
    """Two fields that together must say one of these, in any case; `texts` are in lower case."""

    names: tuple[str, str]
    texts: Sequence[tuple[str, str]]


class PlainItem(msgspec.Struct, frozen=True):
    """All that an item must satisfy: `to_json(rules.checked(fields), max_bytes)`, with one of `any_of` among them."""

    rules: Rules
    any_of: frozenset[str]
    max_bytes: int
    pair: Pair | None = None


@runtime_checkable
class Plain(Protocol):
    """An operation that can say so of itself."""

    def plain_item(self) -> PlainItem | None:
        """None: with these options it does more than that."""
        ...
