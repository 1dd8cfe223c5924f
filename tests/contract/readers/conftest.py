"""One suite, every way to read a value."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from consumer.avro.compiled import Reader, compile_reader, fastavro_reader, generate_reader
from consumer.avro.policy import AvroPolicy
from consumer.avro.schemas import Schema, SchemaText, compile_schema
from consumer.avro.undecodable import TRAILING, Undecodable, undecodable

Make = Callable[[dict[str, Any]], Reader]
WAYS: dict[str, Make] = {"fastavro": fastavro_reader, "generated": generate_reader, "both": compile_reader}


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
