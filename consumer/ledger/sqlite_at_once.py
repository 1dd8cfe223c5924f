"""A call in which nothing meets anything, as one statement that is a transaction of its own.

Each statement hands over the interpreter's lock several times, and gets it back only when the busy event loop lets go.
Most calls of single objects need a handful of them; here triggers do all of it within one. Whatever the statement
finds that has to be looked at, it undoes itself, and the call goes the long way.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

from consumer.ledger.ledger import Intent, Reservation
from consumer.ledger.sqlite_places import SOURCE_BITS, USUAL_MS, LowBits, are_usual, times_of
from consumer.ledger.sqlite_reserve import EVER_MS, reserve_free_keys, reserve_free_windows, shared
from consumer.ledger.sqlite_settle import accept_all, end_all, settle_new, until_s
from consumer.ledger.sqlite_tables import Tables
from consumer.ledger.unique import new_token

LONG_WAY = "not at once"
"""What a statement fails with that has undone itself."""

# ROLLBACK and not ABORT, which would keep a copy of every page that it changes.
_LONG_WAY = f"SELECT RAISE(ROLLBACK, '{LONG_WAY}')"
_UNLESS_ALL = _LONG_WAY + " WHERE changes() <"

_OURS = "new.token, new.owner, new.expires_ms"
_WINDOWS = "new.window_keys", "new.scopes", "new.times", "new.window_places", "new.length_ms"
_RESERVING = (
    "token", "owner", "expires_ms", "consumer_group", "epochs",
    "keyed", "keys", "places",
    "windowed", "window_keys", "scopes", "times", "window_places", "length_ms",
)  # fmt: skip
_CONFIRMING = ("count", "keys", "places", "now_s", "topology", "scopes", "times", "until_s", "window_places")


def _view(name: str, columns: Sequence[str]) -> str:
    return f"CREATE TEMP VIEW {name} AS SELECT {', '.join(f'NULL AS {column}' for column in columns)}"


def _call(name: str, columns: Sequence[str]) -> str:
    # What it is done with holds within the trigger too.
    return f"INSERT OR ROLLBACK INTO {name} VALUES ({', '.join('?' * len(columns))})"


TRIGGERS = (
    _view("reserving", _RESERVING),
    f"""
CREATE TEMP TRIGGER reserve INSTEAD OF INSERT ON reserving BEGIN
{_LONG_WAY}
FROM json_each(new.epochs) AS ours CROSS JOIN partitions
WHERE partitions.consumer_group = new.consumer_group
AND partitions.topic = json_extract(ours.value, '$[0]')
AND partitions.partition = json_extract(ours.value, '$[1]')
AND partitions.epoch > json_extract(ours.value, '$[2]');
INSERT {reserve_free_keys(_OURS, "new.keys", "new.places")};
{_UNLESS_ALL} new.keyed;
INSERT {reserve_free_windows(_OURS, *_WINDOWS)};
{_UNLESS_ALL} new.windowed;
END""",
    _view("confirming", _CONFIRMING),
    f"""
CREATE TEMP TRIGGER confirm INSTEAD OF INSERT ON confirming BEGIN
INSERT {settle_new("new.keys", "new.now_s", "new.topology", "new.places")};
{_UNLESS_ALL} new.count;
INSERT {accept_all("new.scopes", "new.times", "new.until_s", "new.window_places")};
{end_all("new.keys", "new.places")};
END""",
)
"""Made once a connection, in its temporary tables: nothing of them is in the file."""

_RESERVE = _call("reserving", _RESERVING)
_CONFIRM = _call("confirming", _CONFIRMING)


class AtOnce(NamedTuple):
    """The statement of a call, and what the call gives if it succeeds."""

    statement: str
    row: tuple[object, ...]
    result: Reservation | None


def reserve_at_once(tables: Tables, intents: Sequence[Intent]) -> AtOnce | None:
    """As `reserve`; None where it has to go the long way."""
    if not intents or any(shared(intents)) or True in [intent.redrive for intent in intents]:
        return None
    low = LowBits(tables.known_number)
    places = [one.offset << SOURCE_BITS | low[one.topic, one.partition, one.route] for one in intents]
    keyed = [(one.key, place) for one, place in zip(intents, places, strict=True) if not one.once]
    windowed = [(one.key, one.once, place) for one, place in zip(intents, places, strict=True) if one.once]
    keys = [key or b"" for key, _ in keyed]
    window_keys = [key or b"" for key, _, _ in windowed]
    scopes = [once.scope for _, once, _ in windowed]
    at_ms = [once.at_ms for _, once, _ in windowed]
    lengths_ms = {once.length_ms for _, once, _ in windowed}
    if len(lengths_ms) > 1 or not (are_usual([*keys, *window_keys, *scopes], places) and _usual_times(at_ms)):
        return None
    token = new_token()
    expires_ms = tables.now_ms + int(tables.policy.reservation_age_s * 1000)
    epochs = json.dumps(list({(one.topic, one.partition, one.epoch) for one in intents}))
    (length_ms,) = lengths_ms or {None}
    row = (
        *(token, tables.owner_id, expires_ms, tables.group, epochs),
        *(len(keys), b"".join(keys), str([place for _, place in keyed])),
        *(len(windowed), b"".join(window_keys), b"".join(scopes), times_of(at_ms)),
        *(str([place for _, _, place in windowed]), EVER_MS if length_ms is None else length_ms),
    )
    return AtOnce(_RESERVE, row, Reservation(token, {}))


def confirm_at_once(tables: Tables, intents: Sequence[Intent]) -> AtOnce | None:
    """As `confirm`; None where it has to go the long way."""
    topologies = {intent.topology for intent in intents}
    topology = tables.known_topology(intents[0].topology) if len(topologies) == 1 else None
    if topology is None:
        return None
    low = LowBits(tables.known_number)
    keys = [intent.key or b"" for intent in intents]
    places = [one.offset << SOURCE_BITS | low[one.topic, one.partition, one.route] for one in intents]
    windowed = [(one.once, place) for one, place in zip(intents, places, strict=True) if one.once]
    scopes = [once.scope for once, _ in windowed]
    at_ms = [once.at_ms for once, _ in windowed]
    ever = {once.length_ms is None for once, _ in windowed}
    if len(ever) > 1 or not (are_usual([*keys, *scopes], places) and _usual_times(at_ms)):
        return None
    kept_s = until_s(tables, ever=True in ever)
    keyed = len(keys), b"".join(keys), str(places), tables.now_s, topology
    accepted = b"".join(scopes), times_of(at_ms), kept_s, str([place for _, place in windowed])
    return AtOnce(_CONFIRM, (*keyed, *accepted), None)


def _usual_times(at_ms: Sequence[int]) -> bool:
    return not at_ms or (min(at_ms) in USUAL_MS and max(at_ms) in USUAL_MS)
