"""Reserving, in one transaction: most of a call in a few statements, what meets another one by one."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from consumer.core.claims import Fenced, Once, Refusal
from consumer.core.reservations import Grant, decide
from consumer.ledger.ledger import Intent, Reservation
from consumer.ledger.sqlite_around import Around
from consumer.ledger.sqlite_places import (
    DIGEST,
    DIGEST_BYTES,
    SOURCE_BITS,
    USUAL_MS,
    LowBits,
    are_usual,
    digest_in,
    offset_of,
    source_of,
    time_in,
    times_of,
)
from consumer.ledger.sqlite_tables import Tables
from consumer.ledger.unique import new_token

EVER_MS = 2**62
"""A window's length that no time is beyond."""
_NO_SCOPE = bytes(DIGEST_BYTES)
_PLACE = "json_extract(value, '$[0]')"


def reserve_free_keys(ours: str, keys: str, places: str) -> str:
    """In SQL: reserve those of the keys that are free. `ours`: token, owner and expiry."""
    return f"""
INTO reservations (slot, source, offset, token, owner, expires_ms)
SELECT slot, {source_of("place")}, {offset_of("place")}, {ours}
FROM (
    SELECT {digest_in(keys)} AS slot, value AS place FROM json_each({places})
) AS asked
WHERE NOT EXISTS (SELECT 1 FROM settled WHERE settled.slot = asked.slot)
ON CONFLICT DO NOTHING"""


def reserve_free_windows(ours: str, keys: str, scopes: str, times: str, places: str, length_ms: str) -> str:
    """In SQL: reserve those that are free with their windows."""
    return f"""
INTO reservations (slot, source, offset, token, owner, expires_ms, scope, at_ms)
SELECT slot, {source_of("place")}, {offset_of("place")}, {ours}, scope, at_ms
FROM (
    SELECT {digest_in(keys)} AS slot, value AS place, {digest_in(scopes)} AS scope, {time_in(times)} AS at_ms
    FROM json_each({places})
) AS asked
WHERE NOT EXISTS (SELECT 1 FROM settled WHERE settled.slot = asked.slot)
AND NOT EXISTS (
    SELECT 1 FROM windows WHERE windows.scope = asked.scope
    AND windows.at_ms > asked.at_ms - {length_ms} AND windows.at_ms < asked.at_ms + {length_ms})
AND NOT EXISTS (
    SELECT 1 FROM reservations AS rival WHERE rival.scope = asked.scope
    AND rival.at_ms > asked.at_ms - {length_ms} AND rival.at_ms < asked.at_ms + {length_ms})
ON CONFLICT DO NOTHING"""


# OR FAIL: a statement that fails undoes its whole transaction (see `SqliteFile`), so that SQLite need keep no copy of
# every page that it changes.
_RESERVE_FREE_KEYS = "INSERT OR FAIL" + reserve_free_keys("?, ?, ?", "?", "?")
_RESERVE_FREE_WINDOWS = "INSERT OR FAIL" + reserve_free_windows("?, ?, ?", *"?????")

_NOT_RESERVED = f"""
SELECT key FROM json_each(?)
WHERE NOT EXISTS (
    SELECT 1 FROM reservations WHERE slot = {DIGEST} AND token = ?)"""

_RESERVE = """
INSERT OR REPLACE INTO reservations (slot, source, offset, token, owner, expires_ms, scope, at_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""

_RESERVE_ALL = f"""
INSERT OR REPLACE INTO reservations (slot, source, offset, token, owner, expires_ms, scope, at_ms)
SELECT {DIGEST}, {source_of(_PLACE)}, {offset_of(_PLACE)}, ?, ?, ?,
    CASE WHEN json_extract(value, '$[1]') IS NOT NULL THEN {DIGEST} END, json_extract(value, '$[1]')
FROM json_each(?) WHERE true"""


def reserve(tables: Tables, intents: Sequence[Intent]) -> Reservation:
    """Reserve each intent as if one after the other.

    Intents that share no key with another one of the call, and are near none of their scope, can't touch each other, so
    their order is free: those that meet nothing at all in the tables are taken in bulk. The rest is decided one by
    one.
    """
    call = _Call(tables, intents)
    call.sort()
    call.reserve_in_bulk()
    call.reserve_one_by_one()
    return Reservation(call.token, call.refused)


class _Call:
    """One call's way through its two stages."""

    def __init__(self, tables: Tables, intents: Sequence[Intent]) -> None:
        self._tables = tables
        self._intents = intents
        self.token = new_token()
        expires_ms = tables.now_ms + int(tables.policy.reservation_age_s * 1000)
        self._ours = self.token, tables.owner_id, expires_ms
        self.refused: dict[int, Refusal] = {}
        self.one_by_one: list[int] = []
        self._keyed: list[int] = []
        self._windowed: dict[int, list[int]] = {}
        self._places: dict[int, int] = {}

    def sort(self) -> None:
        """Refuse what is fenced; tell what may go in bulk, by the window's length, from what may not."""
        low = LowBits(self._tables.number)
        epoch_of = _Epochs(self._tables)
        shared_keys, shared_scopes = shared(self._intents)
        for index, intent in enumerate(self._intents):
            if intent.epoch < epoch_of[intent.topic, intent.partition] and not intent.redrive:
                self.refused[index] = Fenced()
                continue
            key, once = intent.key, intent.once
            apart = once and (once.scope in shared_scopes or once.at_ms not in USUAL_MS)
            if key is None or key in shared_keys or apart:
                if key is not None or once is not None:
                    self.one_by_one.append(index)
                continue
            stream = intent.topic, intent.partition, intent.route
            self._places[index] = intent.offset << SOURCE_BITS | low[stream]
            if once is None:
                self._keyed.append(index)
            else:
                length_ms = EVER_MS if once.length_ms is None else once.length_ms
                self._windowed.setdefault(length_ms, []).append(index)

    def reserve_in_bulk(self) -> None:
        """Take all that meets nothing in the tables; whatever does meet something is left for one by one."""
        if not self._places:
            return
        if not are_usual(self._digests(), list(self._places.values())):
            self.one_by_one += self._places
            return
        if self._keyed:
            self._reserve_keys(self._keyed)
        for length_ms, indexes in self._windowed.items():
            self._reserve_windows(length_ms, indexes)

    def _digests(self) -> Iterator[bytes]:
        intents = self._intents
        yield from [intents[index].key or b"" for index in self._places]
        for indexes in self._windowed.values():
            yield from [once.scope for index in indexes if (once := intents[index].once) is not None]

    def _reserve_keys(self, indexes: list[int]) -> None:
        keys = b"".join([self._intents[index].key or b"" for index in indexes])
        places = str([self._places[index] for index in indexes])
        done = self._tables.connection.execute(_RESERVE_FREE_KEYS, (*self._ours, keys, places))
        if done.rowcount < len(indexes):
            self._leave_rest(indexes, keys, places)

    def _reserve_windows(self, length_ms: int, indexes: list[int]) -> None:
        keys: list[bytes] = []
        scopes: list[bytes] = []
        at_ms: list[int] = []
        for index in indexes:
            intent = self._intents[index]
            if intent.key is not None and intent.once is not None:
                keys.append(intent.key)
                scopes.append(intent.once.scope)
                at_ms.append(intent.once.at_ms)
        joined, places = b"".join(keys), str([self._places[index] for index in indexes])
        row = (*self._ours, joined, b"".join(scopes), times_of(at_ms), places, *[length_ms] * 4)
        done = self._tables.connection.execute(_RESERVE_FREE_WINDOWS, row)
        if done.rowcount < len(indexes):
            self._leave_rest(indexes, joined, places)

    def _leave_rest(self, indexes: list[int], keys: bytes, places: str) -> None:
        left = self._tables.connection.execute(_NOT_RESERVED, (places, keys, self.token))
        self.one_by_one += [indexes[place] for (place,) in left]

    def reserve_one_by_one(self) -> None:
        """Decide the rest in its order, each by all that stands around it."""
        if not self.one_by_one:
            return
        indexes = sorted(self.one_by_one)
        around = Around(self._tables, [self._intents[index] for index in indexes])
        granted: dict[bytes, Intent] = {}
        ended: set[bytes] = set()
        for index in indexes:
            intent = self._intents[index]
            verdict = decide(intent.holder, intent.once, around.known(intent))
            if isinstance(verdict, Grant):
                around.grant(intent, self.token, verdict.ended)
                for row in verdict.ended:
                    ended.add(row.slot)
                    granted.pop(row.slot, None)
                granted[intent.slot] = intent
            else:
                self.refused[index] = verdict
        execute = self._tables.connection.executemany
        execute("DELETE FROM reservations WHERE slot = ?", [(slot,) for slot in ended - granted.keys()])
        self._write(list(granted.values()))

    def _write(self, intents: Sequence[Intent]) -> None:
        """In one statement where all are of the usual size: each would hand over the interpreter's lock."""
        if not intents:
            return
        low = LowBits(self._tables.number)
        places = [one.offset << SOURCE_BITS | low[one.topic, one.partition, one.route] for one in intents]
        slots = [one.slot for one in intents]
        scopes = [_NO_SCOPE if one.once is None else one.once.scope for one in intents]
        if not are_usual([*slots, *scopes], places):
            self._tables.connection.executemany(_RESERVE, [self._row(intent) for intent in intents])
            return
        claims = json.dumps(
            [
                [place, one.once.at_ms if one.once else None]
                for place, one in zip(places, intents, strict=True)
            ]
        )
        row = (b"".join(slots), *self._ours, b"".join(scopes), claims)
        self._tables.connection.execute(_RESERVE_ALL, row)

    def _row(self, intent: Intent) -> tuple[bytes | int | None, ...]:
        number = self._tables.number(intent.topic, intent.partition, intent.route)
        once = intent.once
        window = (None, None) if once is None else (once.scope, once.at_ms)
        return intent.slot, number, intent.offset, *self._ours, *window


class _Epochs(dict[tuple[str, int], int]):
    """The epochs that stand, looked up once each in a call."""

    def __init__(self, tables: Tables) -> None:
        super().__init__()
        self._tables = tables

    def __missing__(self, place: tuple[str, int]) -> int:
        epoch = self[place] = self._tables.epoch(*place)
        return epoch


def shared(intents: Sequence[Intent]) -> tuple[set[bytes], set[bytes]]:
    """The keys that more than one intent of the call has, and the scopes in which two of the call are near each other.
    Keyless intents share no key."""
    keys = [intent.key for intent in intents if intent.key is not None]
    onces = [intent.once for intent in intents if intent.once is not None]
    shared_keys: set[bytes] = set()
    if len(set(keys)) < len(keys):
        shared_keys.update(key for key, count in Counter(keys).items() if count > 1)
    scopes = Counter([once.scope for once in onces])
    if len(scopes) == len(onces):
        return shared_keys, set()
    together: dict[bytes, list[Once]] = {}
    for once in onces:
        if scopes[once.scope] > 1:
            together.setdefault(once.scope, []).append(once)
    return shared_keys, {scope for scope, some in together.items() if _are_near(some)}


def _are_near(onces: Sequence[Once]) -> bool:
    """Whether any two claims of a scope meet, by the longest of their windows: each one's own may be another."""
    if any(once.length_ms is None for once in onces):
        return True
    reach_ms = max(once.length_ms or 0 for once in onces)
    times = sorted(once.at_ms for once in onces)
    return any(later - earlier < reach_ms for earlier, later in pairwise(times))
