"""One suite, every way to read a value."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from consumer.avro.compiled import compile_reader, fastavro_reader, generate_reader
from consumer.avro.native import Native, find_native
from consumer.avro.policy import AvroPolicy
from consumer.avro.reader import Reader
from consumer.avro.schemas import Schema, SchemaText, compile_schema
from consumer.avro.undecodable import TRAILING, Undecodable, undecodable

Make = Callable[[dict[str, Any]], Reader]
NATIVE = find_native()
collect_ignore = [] if isinstance(NATIVE, Native) else ["test_native.py"]  # scripts/test says so, in one line


def native_reader(schema: dict[str, Any]) -> Reader:
    """The native reader alone. It must be installed."""
    assert isinstance(NATIVE, Native)
    return NATIVE.reader(schema, _refuse)


def _refuse(value: bytes, start: int) -> tuple[dict[str, Any], int]:
    raise NotRead


class NotRead(ValueError):
    """It leaves the value to fastavro."""


FIRST: dict[str, Make] = {"generated": generate_reader}
"""Those that are tried before fastavro, and have no verdict of their own."""
WHOLE: dict[str, Make] = {"generated": partial(compile_reader, native=False)}
"""The same, with fastavro behind."""
if isinstance(NATIVE, Native):
    FIRST["native"] = native_reader
    WHOLE["native"] = compile_reader
WAYS: dict[str, Make] = {
    "fastavro": fastavro_reader,
    **{f"{name} alone": make for name, make in FIRST.items()},
    **WHOLE,
}


def hardened(schema: Any) -> dict[str, Any]:
    """What readers are made of. The schema must not be refused."""
    compiled = compile_schema(SchemaText(json.dumps(schema)), AvroPolicy(max_depth=100))
    assert isinstance(compiled, Schema)
    return compiled.reader


def outcome(reader: Reader, payload: bytes, start: int = 0) -> str:
    """What the decoder makes of it. As text, in which nan is nan, and 1, 1.0 and True differ."""
    try:
        datum, end = reader(payload, start)
    except Exception as error:
        return repr(undecodable(error))
    return repr(datum if end == len(payload) else Undecodable(TRAILING))


@pytest.fixture(params=WAYS)
def make(request: pytest.FixtureRequest) -> Make:
    """Makes a reader for a hardened schema, in each way."""
    return WAYS[request.param]
