"""Dicts to records in the registry's wire format."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import fastavro

from consumer.avro.framing import SchemaId


class Encoder:
    """Encodes values of one schema, which is ours: what is read from others goes through the decoder."""

    def __init__(self, text: str, schema: SchemaId) -> None:
        """`schema`: the id under which the registry knows this text."""
        self._schema = fastavro.parse_schema(json.loads(text))
        self._prefix = bytes(schema)

    def encode(self, value: Mapping[str, Any]) -> bytes:
        """The framed value. Raises ValueError where it has not exactly the fields of the schema."""
        stream = BytesIO()
        stream.write(self._prefix)
        fastavro.schemaless_writer(stream, self._schema, dict(value), strict=True)
        return stream.getvalue()
