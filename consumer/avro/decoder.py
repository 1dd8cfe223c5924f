"""Records to dicts, a chunk at a time."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, cast

import msgspec

from consumer.avro import undecodable as why
from consumer.avro.compiled import compile_reader
from consumer.avro.framing import PREFIX_BYTES, UNREADABLE_ID, SchemaId, header_id, is_schema_id
from consumer.avro.native import Native, Shortcut, find_native
from consumer.avro.policy import AvroPolicy
from consumer.avro.reader import Reader
from consumer.avro.schemas import Schema, SchemaText, compile_schema
from consumer.avro.undecodable import Undecodable, undecodable
from consumer.avro.weight import Weight
from consumer.clock import Clock
from consumer.types import Record


class SchemaSource(Protocol):
    """Where schemas come from."""

    async def fetch(self, schema: SchemaId) -> SchemaText | Undecodable:
        """The schema's text, or the verdict on all values of that id. Raises RegistryUnavailable."""
        ...


Decoded = dict[str, Any] | list[Any] | Undecodable
"""A datum, the answers of a shortcut, or a verdict."""


ShortcutById = Mapping[bytes, Shortcut | None]
"""By schema id, for all that are loaded."""


class _Known(msgspec.Struct, frozen=True):
    """What is kept of a schema."""

    schema: dict[str, Any]
    read: Reader
    weight: Weight


class Decoder:
    """Decodes with schemas that it keeps. A chunk's way through it, with nothing awaited before `decode` or `answer`:

        while ids := decoder.missing(records):
            await decoder.load(ids)
        data = decoder.decode(records)

    Records come as dicts, one inside of a union as a tuple (full name, dict), timestamps as aware datetimes.
    One event loop's; not safe for threads.
    """

    def __init__(self, source: SchemaSource, clock: Clock, policy: AvroPolicy | None = None) -> None:
        self._source = source
        self._clock = clock
        self._policy = policy or AvroPolicy()
        found = find_native() if self._policy.native else None
        self.native = found if isinstance(found, Native) else None
        """The native code that it reads with, if any."""
        self._known: dict[bytes, _Known] = {}
        self.light_bytes = self._policy.max_value_bytes
        """Values that take so many bytes together are not worth weighing, whatever their schemas."""
        self._refused: dict[bytes, Undecodable] = {}
        self._unknown_until_s: dict[bytes, float] = {}

    def missing(self, records: Sequence[Record]) -> set[SchemaId]:
        """The ids of these records of which nothing is known: what `load` is to be asked for.

        Normally empty. Forgets unknown ids whose time is over, so that a schema registered meanwhile is
        found.
        """
        if self._unknown_until_s:
            self._forget_unknown()
        ids = {
            (record.value or b"")[:PREFIX_BYTES]
            if not record.headers or (named := header_id(record.headers)) is None
            else named
            for record in records
        }
        ids -= self._known.keys()
        return {SchemaId(raw) for raw in ids if raw not in self._refused and is_schema_id(raw)}

    async def load(
        self,
        ids: Iterable[SchemaId],
        first: Callable[[Callable[[], object]], Awaitable[str | None]] | None = None,
    ) -> None:
        """Fetch and compile these schemas. Waits for the registry; raises RegistryUnavailable.

        What was fetched before the registry failed is kept. `first` is given what compiling does, to try it elsewhere;
        what it answers is the verdict on all values of that schema, which is then not compiled here.
        """
        wanted = sorted(ids)
        self._make_room(len(wanted))
        for schema_id in wanted:
            fetched = await self._source.fetch(schema_id)
            if isinstance(fetched, SchemaText) and first is not None:
                harm = await first(partial(_compiled, fetched, self._policy))
                fetched = fetched if harm is None else Undecodable(harm)
            match _compiled(fetched, self._policy) if isinstance(fetched, SchemaText) else fetched:
                case Undecodable() as schema:
                    self._refused[schema_id] = schema
                    if schema.reason == why.UNKNOWN_ID:
                        until_s = self._clock.monotonic_s() + self._policy.unknown_ttl_s
                        self._unknown_until_s[schema_id] = until_s
                case _Known() as known:
                    self._known[schema_id] = known
        self._weigh_schemas()

    def schema(self, schema_id: bytes) -> dict[str, Any]:
        """The hardened schema of an id that was loaded. Raises KeyError."""
        return self._known[schema_id].schema

    def decode(self, records: Sequence[Record]) -> list[dict[str, Any] | Undecodable]:
        """One datum or verdict for each record, in order; never raises for data. Hand in no tombstones.

        Raises LookupError for an id that `missing` would name: a verdict on it would be wrong, and final.
        """
        return cast(list[dict[str, Any] | Undecodable], self.answer(records, None))

    def answer(self, records: Sequence[Record], shortcuts: ShortcutById | None) -> list[Decoded]:
        """As `decode`; but where a shortcut has the answers of all routes at once, they stand in the datum's place."""
        schemas = self._known
        light_bytes = self.light_bytes
        out: list[Decoded] = []
        for record in records:
            value = record.value or b""
            headers = record.headers
            # Loops over the headers itself only where there are any: most records have none or few.
            named = header_id(headers) if headers else None
            schema_id = value[:PREFIX_BYTES] if named is None else named
            known = schemas.get(schema_id)
            if known is None or (len(value) > light_bytes and self._is_heavy(value, named)):
                out.append(self._why_not(value, named))
                continue
            start = PREFIX_BYTES if named is None else 0
            if shortcuts is not None and record.key and (shortcut := shortcuts[schema_id]) is not None:
                answers = shortcut(value, start, record.key)
                if answers is not None:
                    out.append(answers)
                    continue
            try:
                datum, end = known.read(value, start)
            except Exception as error:  # of any type: fastavro assumes well-formed data
                out.append(undecodable(error))
                continue
            out.append(datum if end == len(value) else _TRAILING)
        return out

    def portion(self, records: Sequence[Record]) -> int:
        """How many of these, from the first on and at least one, may be decoded together: as data they are in memory at
        once. All, where they are no longer than `light_bytes` together."""
        left_bytes: float = self._policy.max_datum_bytes
        for number, record in enumerate(records):
            left_bytes -= self._burden_bytes(record)
            if left_bytes < 0 and number:
                return number
        return len(records)

    def _burden_bytes(self, record: Record) -> float:
        """The memory that its datum takes at most."""
        value = record.value or b""
        named = header_id(record.headers) if record.headers else None
        known = self._known.get(value[:PREFIX_BYTES] if named is None else named)
        return 0.0 if known is None else min(len(value) * known.weight.ratio, self._policy.max_datum_bytes)

    def _is_heavy(self, value: bytes, named: bytes | None) -> bool:
        policy = self._policy
        if len(value) > policy.max_value_bytes:
            return True
        weight = self._known[value[:PREFIX_BYTES] if named is None else named].weight
        start, limit_bytes = PREFIX_BYTES if named is None else 0, policy.max_datum_bytes
        return len(value) * weight.ratio > limit_bytes and weight.exceeds(value, start, limit_bytes)

    def _weigh_schemas(self) -> None:
        worst = max((known.weight.ratio for known in self._known.values()), default=1.0)
        self.light_bytes = min(self._policy.max_value_bytes, int(self._policy.max_datum_bytes / worst))

    def _why_not(self, value: bytes, named: bytes | None) -> Undecodable:
        raw = value[:PREFIX_BYTES] if named is None else named
        if not is_schema_id(raw):
            if named is not None:
                return Undecodable(why.UNREADABLE_HEADERS if named == UNREADABLE_ID else why.WRONG_HEADER)
            return Undecodable(why.WRONG_MAGIC if value and value[0] != 0 else why.TRUNCATED)
        if len(value) > self._policy.max_value_bytes:
            return Undecodable(why.TOO_LARGE)
        if raw in self._refused:
            return self._refused[raw]
        if raw in self._known:
            return Undecodable(why.TOO_HEAVY)
        raise LookupError("a record's schema id was not loaded before decoding")

    def _forget_unknown(self) -> None:
        now_s = self._clock.monotonic_s()
        for raw in [raw for raw, until_s in self._unknown_until_s.items() if until_s <= now_s]:
            del self._unknown_until_s[raw], self._refused[raw]

    def _make_room(self, count: int) -> None:
        """Forget the oldest where the bound is passed: random ids in a topic must not fill the memory.

        Only here, before the new ones come in: what one load brings is there for the decoding that follows.
        """
        for kept in (self._refused, self._known):
            excess = len(kept) + count - self._policy.max_schemas
            for raw in list(kept)[: max(0, excess)]:
                del kept[raw]
                self._unknown_until_s.pop(raw, None)


def _compiled(text: SchemaText, policy: AvroPolicy) -> _Known | Undecodable:
    schema = compile_schema(text, policy)
    if not isinstance(schema, Schema):
        return schema
    return _Known(schema.reader, compile_reader(schema.reader, native=policy.native), Weight(schema.reader))


_TRAILING = Undecodable(why.TRAILING)
