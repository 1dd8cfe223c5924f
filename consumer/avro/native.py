"""The optional module of native code: whether it is there, readers of values made with it, and shortcuts."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

import msgspec
from fastavro.read import LOGICAL_READERS

from consumer.avro.reader import Reader

_MODULE = "distinct_consumer_native"
_INTERFACE = 3
"""What `Reader` and `Mapper` take and give. A module of another one is not used."""


Shortcut = Callable[[bytes, int, bytes], list[Any] | None]
"""Takes a value, where its payload starts and its record's key; gives the answers of all routes, with no datum between.
None: this value has to be decoded and routed."""


class Makes(msgspec.Struct, frozen=True):
    """What a shortcut makes its answers with: their classes, and JSON of a number."""

    matched: Callable[..., Any]
    once: Callable[..., Any]
    encode: Callable[[Any], bytes]


class _Reads(Protocol):
    read: Reader


class _Maps(Protocol):
    answers: Shortcut


class Native(msgspec.Struct, frozen=True):
    """The module, as far as it is used here."""

    version: str
    make: Callable[[dict[str, Any], dict[str, Any], Reader], _Reads]
    make_mapper: Callable[..., _Maps]

    def reader(self, schema: dict[str, Any], otherwise: Reader) -> Reader:
        """Reads values of a hardened schema, and hands to `otherwise` what it does not read, whyever.

        Raises an Exception, of any type, for a schema that it does not read at all.
        """
        return self.make(schema, LOGICAL_READERS, otherwise).read

    def shortcut(
        self,
        schema: dict[str, Any],
        by_type: Mapping[str | None, Sequence[Any]],
        type_at: tuple[str, ...] | None,
        makes: Makes,
    ) -> Shortcut:
        """By the recipes of a topic's routes. Raises an Exception, of any type, for what it has none for."""
        return self.make_mapper(schema, LOGICAL_READERS, by_type, type_at, makes).answers


class Absent(msgspec.Struct, frozen=True):
    """There is none to use. `problem` says why, where one is installed."""

    problem: str = ""


def find_native(module: str = _MODULE) -> Native | Absent:
    """Import it, the first time. Never raises."""
    try:
        found: Any = import_module(module)
    except ModuleNotFoundError:
        return Absent()
    except Exception as error:  # of any type: what is installed may be for another machine, or broken
        return Absent(
            f"the native reader cannot be loaded ({error}): Python reads. Install it anew: make native"
        )
    interface = getattr(found, "INTERFACE", None)
    if interface != _INTERFACE:
        return Absent(
            f"the native reader {getattr(found, '__version__', '')} is for another release (its interface is "
            f"{interface}, not {_INTERFACE}): Python reads. Install it anew: make native"
        )
    return Native(found.__version__, found.Reader, found.Mapper)


def reader_in_use(native: bool) -> str:
    """For people: native and its version, or python. `native`: whether it may be used."""
    found = find_native() if native else Absent()
    return f"native {found.version}" if isinstance(found, Native) else "python"
