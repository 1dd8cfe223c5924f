"""What a route claims in the ledger, compiled: the key of an event, and its place in a window."""

from collections.abc import Callable

from consumer.core.claims import Once
from consumer.topology.boxes import Boxes, BoxPlan
from consumer.topology.digests import at_ms, bytes_of, digest_of, framed, text_bytes
from consumer.topology.mapping import Refuse
from consumer.topology.model import OnceModel
from consumer.topology.paths import parse_path
from consumer.topology.plan import Unmapped
from consumer.types import Record

KeyOf = Callable[[Boxes, Record], bytes | Unmapped | None]
"""The key of an event: None where the route takes none."""

OnceOf = Callable[[Boxes, Record], Once | Unmapped]

UserIn = Callable[[Boxes], bytes | None]
"""Who an opened record is about."""

_ScopeOf = Callable[[Boxes, Record], bytes | Unmapped]
"""What a window is for, apart from what all of its route's have in common."""


def compile_key(text: str, account: str, route_id: str, boxes: BoxPlan, refuse: Refuse) -> KeyOf:
    """Compile `key`: account, route, and the event's id or the record's origin."""
    if text == "none":
        return lambda opened, record: None
    digest = digest_of("key", (account, route_id, "origin" if text == "origin" else "id"))
    if text == "origin":

        def of_origin(opened: Boxes, record: Record) -> bytes:
            return digest(f"{record.topic}/{record.partition}/{record.offset}".encode())

        return of_origin
    path = parse_path(text)
    box, name = boxes.spot(path)
    absent = refuse(f"the record has no {path}, which is its key", "")
    no_scalar = refuse(f"{path} can't be a key: it is no single value", "")

    def of_id(opened: Boxes, record: Record) -> bytes | Unmapped:
        value = opened[box].get(name)
        if value.__class__ is str and value:
            return digest(text_bytes(value))
        if value is None or value == "":
            return absent
        raw = bytes_of(value)
        return no_scalar if raw is None else digest(raw)

    return of_id


def compile_once(once: OnceModel, account: str, user: list[str], boxes: BoxPlan, refuse: Refuse) -> OnceOf:
    """Compile `once`. Its scope: account, length, name, and what it is `by`, but not the route.

    user: the topic's paths to who a record is about, for records without a key.
    """
    length_ms = once.window
    length = "ever" if length_ms is None else str(length_ms)
    by = ["(user)"] if once.by is None else [str(parse_path(text)) for text in once.by]
    digest = digest_of("once", (account, length, once.name or "", *by))
    scope_of = _user_scope(user, boxes, refuse) if once.by is None else _scope(once.by, boxes, refuse)
    clock = parse_path(once.at)
    box, name = boxes.spot(clock)
    no_time = refuse(f"the record has no time at {clock}, which its window needs", "")

    def once_of(opened: Boxes, record: Record) -> Once | Unmapped:
        scope = scope_of(opened, record)
        if isinstance(scope, Unmapped):
            return scope
        time_ms = at_ms(opened[box].get(name))
        return no_time if time_ms is None else Once(digest(scope), time_ms, length_ms)

    return once_of


def _user_scope(paths: list[str], boxes: BoxPlan, refuse: Refuse) -> _ScopeOf:
    nobody = refuse("the record has neither a key nor a user, which its window needs", "")
    user = compile_user(paths, boxes)

    def scope_of(opened: Boxes, record: Record) -> bytes | Unmapped:
        who = record.key or user(opened)
        return nobody if who is None else who

    return scope_of


def _scope(texts: list[str], boxes: BoxPlan, refuse: Refuse) -> _ScopeOf:
    spots = []
    for path in map(parse_path, texts):
        absent = None if path.optional else refuse(f"the record has no {path}, which its window needs", "")
        no_scalar = refuse(f"{path} can't name a window: it is no single value", "")
        spots.append((*boxes.spot(path), absent, no_scalar))

    def scope_of(opened: Boxes, record: Record) -> bytes | Unmapped:
        parts = []
        for box, name, absent, no_scalar in spots:
            value = opened[box].get(name)
            if value is None and absent is not None:
                return absent
            raw = b"" if value is None else bytes_of(value)
            if raw is None:
                return no_scalar
            parts.append(raw)
        *first, last = parts
        return b"".join(map(framed, first)) + last

    return scope_of


def compile_user(paths: list[str], boxes: BoxPlan) -> UserIn:
    """Compile a topic's `user`: the first value that is there and not empty."""
    spots = [boxes.spot(parse_path(text)) for text in paths]

    def user(opened: Boxes) -> bytes | None:
        for box, name in spots:
            raw = bytes_of(opened[box].get(name))
            if raw:
                return raw
        return None

    return user
