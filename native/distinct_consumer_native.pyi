"""Avro values read by native code. What it does not read, it hands to the reader that it was given for that."""

from collections.abc import Callable
from typing import Any, final

INTERFACE: int
__version__: str

@final
class Reader:
    def __new__(
        cls,
        schema: dict[str, Any],
        meanings: dict[str, Callable[..., Any]],
        otherwise: Callable[[bytes, int], tuple[dict[str, Any], int]],
    ) -> Reader: ...
    def read(self, value: bytes, start: int, /) -> tuple[dict[str, Any], int]: ...
