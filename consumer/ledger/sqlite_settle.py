"""What ends a reservation, in one transaction: confirm, give back, bury. And what became of keys."""

from collections.abc import Sequence
from itertools import compress

from consumer.core.claims import KeyState, Once
from consumer.ledger.ledger import Held, Intent
from consumer.ledger.policy import expiry_s
from consumer.ledger.sqlite_places import (
    DIGEST,
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
from consumer.ledger.sqlite_schema import CONFIRMED, DEAD_LETTERED
from consumer.ledger.sqlite_tables import Tables, in_lists
from consumer.types import Origin

# What is confirmed stays as it was first confirmed, until it expires.
_SETTLE = f"""
INSERT INTO settled (slot, state, source, offset, written_s, topology) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (slot) DO UPDATE SET
    state = excluded.state, source = excluded.source, offset = excluded.offset, written_s = excluded.written_s,
    topology = excluded.topology
WHERE state <> {CONFIRMED} OR written_s < ?"""

_ACCEPT = """
INSERT INTO windows (scope, at_ms, source, offset, expires_s) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (scope, at_ms, source, offset) DO UPDATE SET expires_s = max(expires_s, excluded.expires_s)"""


def settle_new(keys: str, now_s: str, topology: str, places: str) -> str:
    """In SQL: write those of the keys as confirmed of which nothing is known."""
    return f"""
INTO settled (slot, state, source, offset, written_s, topology)
SELECT {digest_in(keys)}, {CONFIRMED}, {source_of("value")}, {offset_of("value")}, {now_s}, {topology}
FROM json_each({places}) WHERE true
ON CONFLICT DO NOTHING"""


def accept_all(scopes: str, times: str, until_s: str, places: str) -> str:
    """In SQL: write windows as accepted."""
    return f"""
INTO windows (scope, at_ms, source, offset, expires_s)
SELECT {digest_in(scopes)}, {time_in(times)}, {source_of("value")}, {offset_of("value")}, {until_s}
FROM json_each({places}) WHERE true
ON CONFLICT (scope, at_ms, source, offset) DO UPDATE SET expires_s = max(expires_s, excluded.expires_s)"""


def end_all(keys: str, places: str) -> str:
    """In SQL: end the reservations of these keys, whoever holds them."""
    return f"DELETE FROM reservations WHERE slot IN (SELECT {digest_in(keys)} FROM json_each({places}))"


# Almost always all of them are new. OR FAIL as in `sqlite_reserve`; an update would need the copies.
_SETTLE_NEW = "INSERT OR FAIL" + settle_new("?", "?", "?", "?")
_SETTLE_ALL = f"""
INSERT INTO settled (slot, state, source, offset, written_s, topology)
SELECT {DIGEST}, {CONFIRMED}, {source_of("value")}, {offset_of("value")}, ?, ? FROM json_each(?) WHERE true
ON CONFLICT (slot) DO UPDATE SET
    state = excluded.state, source = excluded.source, offset = excluded.offset, written_s = excluded.written_s,
    topology = excluded.topology
WHERE state <> {CONFIRMED} OR written_s < ?"""

_ACCEPT_ALL = "INSERT" + accept_all(*"????")
_END_ALL = end_all("?", "?")

_GIVE_BACK = "DELETE FROM reservations WHERE slot = ? AND token = ? AND source = ? AND offset = ?"


def confirm(tables: Tables, intents: Sequence[Intent]) -> None:
    """Write keys and windows as accepted, and end the reservations of their slots, whoever holds them."""
    usual = [one.key is not None and (one.once is None or one.once.at_ms in USUAL_MS) for one in intents]
    keyed = list(compress(intents, usual))
    alone: Sequence[Intent] = [one for one, is_usual in zip(intents, usual, strict=True) if not is_usual]
    if keyed:
        low = LowBits(tables.number)
        places = [one.offset << SOURCE_BITS | low[one.topic, one.partition, one.route] for one in keyed]
        windowed = [(one.once, place) for one, place in zip(keyed, places, strict=True) if one.once]
        keys = [one.key or b"" for one in keyed]
        if are_usual([*keys, *[once.scope for once, _ in windowed]], places):
            _confirm_keys(tables, [one.topology for one in keyed], keys, places)
            _accept_windows(tables, windowed)
        else:
            alone = intents
    for intent in alone:
        _confirm_one(tables, intent)


def _confirm_keys(
    tables: Tables, versions: Sequence[str], keys: Sequence[bytes], places: Sequence[int]
) -> None:
    execute = tables.connection.execute
    # One version for all of them, but while one topology takes the place of another.
    for version in dict.fromkeys(versions):
        chosen = [one == version for one in versions]
        joined, listed = b"".join(compress(keys, chosen)), str(list(compress(places, chosen)))
        topology = tables.topology(version)
        row = joined, tables.now_s, topology, listed
        if execute(_SETTLE_NEW, row).rowcount < sum(chosen):
            execute(_SETTLE_ALL, (*row, tables.key_horizon_s))
        execute(_END_ALL, (joined, listed))


def _accept_windows(tables: Tables, windowed: Sequence[tuple[Once, int]]) -> None:
    for ever in (False, True):
        some = [(once, place) for once, place in windowed if (once.length_ms is None) is ever]
        if some:
            scopes = b"".join([once.scope for once, _ in some])
            times, places = times_of(once.at_ms for once, _ in some), str([place for _, place in some])
            tables.connection.execute(_ACCEPT_ALL, (scopes, times, until_s(tables, ever=ever), places))


def _confirm_one(tables: Tables, intent: Intent) -> None:
    """One without a key, of an unusual time, or beside one that is too large for a place."""
    execute, once = tables.connection.execute, intent.once
    source = tables.number(intent.topic, intent.partition, intent.route)
    if intent.key is not None:
        topology = tables.topology(intent.topology)
        row = (intent.key, CONFIRMED, source, intent.offset, tables.now_s, topology, tables.key_horizon_s)
        execute(_SETTLE, row)
    if once is not None:
        expires_s = until_s(tables, ever=once.length_ms is None)
        execute(_ACCEPT, (once.scope, once.at_ms, source, intent.offset, expires_s))
    if intent.key is not None or once is not None:
        execute("DELETE FROM reservations WHERE slot = ?", (intent.slot,))


def until_s(tables: Tables, *, ever: bool) -> int:
    """Until when a window that is accepted now is kept."""
    policy = tables.policy
    return expiry_s(tables.now_s, policy.once_keep_s if ever else policy.window_keep_s)


def release(tables: Tables, held: Sequence[Held]) -> None:
    """Delete the reservations that the tokens still hold."""
    tables.connection.executemany(_GIVE_BACK, [_place(tables, one) for one in held])


def bury(tables: Tables, held: Sequence[Held]) -> None:
    """As `release`; where the token did hold it, the holder is written down as dead-lettered."""
    for one in held:
        slot, token, number, offset = _place(tables, one)
        if tables.connection.execute(_GIVE_BACK, (slot, token, number, offset)).rowcount == 0:
            continue
        topology = tables.topology(one.intent.topology)
        letter = (slot, DEAD_LETTERED, number, offset, tables.now_s, topology, tables.key_horizon_s)
        tables.connection.execute(_SETTLE, letter)
        tables.connection.execute(
            "INSERT OR REPLACE INTO letters (slot, source, offset, written_s) VALUES (?, ?, ?, ?)",
            (slot, number, offset, tables.now_s),
        )


def states(tables: Tables, intents: Sequence[Intent]) -> list[tuple[KeyState, Origin | None]]:
    """What is known of each key: first what is confirmed, then a live reservation, then a dead letter."""
    keys = [intent.key for intent in intents if intent.key is not None]
    known: dict[bytes | None, tuple[KeyState, Origin | None]] = {}
    read = tables.connection.execute
    for listed, piece in in_lists(keys):
        rows = read(
            f"SELECT slot, state, source, offset FROM settled WHERE slot {listed} AND written_s >= ?",
            (*piece, tables.key_horizon_s),
        )
        for slot, state, number, offset in rows.fetchall():
            name = KeyState.CONFIRMED if state == CONFIRMED else KeyState.DEAD_LETTERED
            known[slot] = name, tables.origin(number, offset)
        rows = read(
            f"SELECT slot, source, offset, owner, expires_ms FROM reservations WHERE slot {listed}", piece
        )
        for slot, number, offset, owner, expires_ms in rows.fetchall():
            if not tables.lapsed(owner, expires_ms):
                known[slot] = KeyState.RESERVED, tables.origin(number, offset)
    free = KeyState.FREE, None
    return [known.get(intent.key, free) for intent in intents]


def mapped_by(tables: Tables, intents: Sequence[Intent]) -> list[str | None]:
    """The version of the topology that stands beside each key that is settled."""
    known: dict[bytes | None, str] = {}
    for listed, piece in in_lists([intent.key for intent in intents if intent.key is not None]):
        rows = tables.connection.execute(
            "SELECT slot, version FROM settled JOIN topologies ON topologies.id = settled.topology "
            f"WHERE slot {listed} AND written_s >= ?",
            (*piece, tables.key_horizon_s),
        )
        known.update(rows.fetchall())
    return [known.get(intent.key) for intent in intents]


def _place(tables: Tables, one: Held) -> tuple[bytes, int, int, int]:
    intent = one.intent
    number = tables.number(intent.topic, intent.partition, intent.route)
    return intent.slot, one.token, number, intent.offset
