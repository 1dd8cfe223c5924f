"""One stream that many tests look at."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
import pytest

from consumer.sandbox.generator import Emission, Plan, Stream, user_event_schema

START_MS = 1_770_000_000_000
SCHEMA_ID = 7
COUNT = 20_000

Decode = Callable[[bytes], dict[str, Any]]


@pytest.fixture(scope="session")
def decode() -> Decode:
    """Reads a framed value as a careful consumer does; anything that is wrong with it raises."""
    schema = fastavro.parse_schema(user_event_schema())

    def decode(value: bytes) -> dict[str, Any]:
        if value[:5] != b"\x00" + SCHEMA_ID.to_bytes(4, "big"):
            raise ValueError("the prefix is wrong")
        body = BytesIO(value[5:])
        event: Any = fastavro.schemaless_reader(body, schema, None, return_record_name=True)
        if body.read():
            raise ValueError("bytes follow the event")
        return event

    return decode


@pytest.fixture(scope="session")
def plan() -> Plan:
    return Plan(count=COUNT, seed=11, schema_id=SCHEMA_ID, start_ms=START_MS)


@pytest.fixture(scope="session")
def emissions(plan: Plan) -> list[Emission]:
    return list(Stream(plan, user_event_schema()))
