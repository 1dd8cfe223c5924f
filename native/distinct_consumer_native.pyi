"""Avro values read, and mapped, by native code. What it does not read or map, it leaves to Python."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

INTERFACE: int
__version__: str

@final
class Mapper:
    def __new__(
        cls,
        schema: dict[str, Any],
        meanings: dict[str, Callable[..., Any]],
        by_type: Mapping[str | None, Sequence[Any]],
        type_at: Sequence[str] | None,
        makes: Any,
    ) -> Mapper: ...
    def answers(self, value: bytes, start: int, key: bytes, /) -> list[Any] | None: ...

@final
class Reader:
    def __new__(
        cls,
        schema: dict[str, Any],
        meanings: dict[str, Callable[..., Any]],
        otherwise: Callable[[bytes, int], tuple[dict[str, Any], int]],
    ) -> Reader: ...
    def read(self, value: bytes, start: int, /) -> tuple[dict[str, Any], int]: ...
