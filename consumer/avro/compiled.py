"""How a value is read: by a function made for its schema, and where that does not succeed, by fastavro."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader

from consumer.avro.source import ReaderSource, Unwritten
from consumer.avro.weight import walk

Reader = Callable[[bytes, int], tuple[dict[str, Any], int]]
"""Takes a value and where its payload starts; gives the datum and where it ended. Raises anything for bad data."""


def compile_reader(schema: dict[str, Any]) -> Reader:
    """The reader for a hardened schema (`Schema.reader`).

    The generated function says yes or nothing: what it gives, fastavro would give too, and what it does not
    read, whether damaged or merely unusual, fastavro reads or refuses. So no verdict and no reason is its own,
    and a mistake in it that raises would cost time, not a record.
    """
    by_fastavro = fastavro_reader(schema)
    try:
        generated = generate_reader(schema)
    except Unwritten:
        return by_fastavro

    def read(value: bytes, start: int) -> tuple[dict[str, Any], int]:
        try:
            datum, end = generated(value, start)
        except Exception:  # of any type, as it is written for sound data
            return by_fastavro(value, start)
        # Strings do not ask for the end of the data: one that is cut off shows here.
        return (datum, end) if end <= len(value) else by_fastavro(value, start)

    return read


def generate_reader(schema: dict[str, Any]) -> Reader:
    """The generated function alone. Raises Unwritten. The end it gives is beyond the value's that was cut off."""
    source = ReaderSource(schema)
    exec("\n".join(source.functions), source.scope)  # why that is safe for any schema: source.py
    reader: Reader = source.scope[source.entry]
    return reader


def fastavro_reader(schema: dict[str, Any]) -> Reader:
    """fastavro's reader. Records inside of unions come with their names.

    It takes a number of more than 64 bits for another one: such values are refused here, with ValueError.
    """

    def read(value: bytes, start: int) -> tuple[dict[str, Any], int]:
        stream = BytesIO(value)
        stream.seek(start)
        datum: Any = schemaless_reader(stream, schema, None, True)
        walk(schema, value, start)
        return datum, stream.tell()

    return read
