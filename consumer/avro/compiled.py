"""How a value is read: by native code or a function made for its schema, and where these do not, by fastavro."""

from contextlib import suppress
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader

from consumer.avro.native import Absent, Native, find_native
from consumer.avro.reader import Reader
from consumer.avro.source import ReaderSource, Unwritten
from consumer.avro.weight import walk


def compile_reader(schema: dict[str, Any], *, native: bool = True) -> Reader:
    """The reader for a hardened schema (`Schema.reader`): with `native`, by native code where that is installed.

    Native code and the generated function say yes or nothing: what they give, fastavro would give too, and what they do
    not read, whether damaged or merely unusual, fastavro reads or refuses. So no verdict and no reason is theirs,
    and a mistake in them that raises would cost time, not a record.
    """
    by_fastavro = fastavro_reader(schema)
    found = find_native() if native else Absent()
    if isinstance(found, Native):
        with suppress(Exception):  # of any type: which schemas it reads is for it alone to say
            return found.reader(schema, by_fastavro)
    return _by_python(schema, by_fastavro)


def _by_python(schema: dict[str, Any], by_fastavro: Reader) -> Reader:
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
