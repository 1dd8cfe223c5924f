"""What a route claims in the ledger, written out: the key of an event, and its place in a window."""

from collections.abc import Callable, Iterator

from consumer.core.claims import Once
from consumer.topology.boxes import Boxes, BoxPlan
from consumer.topology.digests import (
    at_ms,
    beginning_with,
    bytes_of,
    digest_of,
    framed,
    key_digest_of,
    text_bytes,
)
from consumer.topology.mapping import Refuse
from consumer.topology.model import OnceModel
from consumer.topology.paths import parse_path
from consumer.topology.plan import Unmapped
from consumer.topology.source import Source
from consumer.types import Record

UserIn = Callable[[Boxes], bytes | None]
"""Who an opened record is about."""

_ScopeOf = Callable[[Boxes, Record], bytes | Unmapped]
"""What a window is for, apart from what all of its route's have in common."""


def key_lines(
    text: str, account: str, route_id: str, boxes: BoxPlan, source: Source, refuse: Refuse
) -> Iterator[str]:
    """Lines that put `key` into `key`, or return why there is none: account, route, and the event's id or the record's
    origin; None where the route takes none."""
    if text == "none":
        yield "key = None"
        return
    if text == "origin":
        yield f"key = {source.constant('origin_key', _origin_key_of(account, route_id))}(record)"
        return
    digest = source.constant("digest", key_digest_of((account, route_id, "id")))
    path = parse_path(text)
    absent = refuse(f"the record has no {path}, which is its key", "")
    no_scalar = refuse(f"{path} can't be a key: it is no single value", "")
    yield f"v = {source.spot(boxes.spot(path))}"
    yield f"if v.__class__ is str and v: key = {digest}({source.constant('text_bytes', text_bytes)}(v))"
    yield f"elif v is None or v == '': return {source.constant('unmapped', absent)}"
    yield "else:"
    yield f"    v = {source.constant('bytes_of', bytes_of)}(v)"
    yield f"    if v is None: return {source.constant('unmapped', no_scalar)}"
    yield f"    key = {digest}(v)"


def once_lines(
    once: OnceModel, account: str, user: list[str], boxes: BoxPlan, source: Source, refuse: Refuse
) -> Iterator[str]:
    """Lines that put `once` into `once`, or return why there is none. Its scope: account, length, name, and what it is
    `by`, but not the route.

    user: the topic's paths to who a record is about, for records without a key.
    """
    length_ms = once.window
    length = "ever" if length_ms is None else str(length_ms)
    by = ["(user)"] if once.by is None else [str(parse_path(text)) for text in once.by]
    digest = source.constant("digest", digest_of("once", (account, length, once.name or "", *by)))
    scope_of = _user_scope(user, boxes, refuse) if once.by is None else _scope(once.by, boxes, refuse)
    clock = parse_path(once.at)
    no_time = refuse(f"the record has no time at {clock}, which its window needs", "")
    made = source.constant("Once", Once)
    yield f"scope = {source.constant('scope_of', scope_of)}(opened, record)"
    yield f"if scope.__class__ is {source.constant('Unmapped', Unmapped)}: return scope"
    yield f"v = {source.constant('at_ms', at_ms)}({source.spot(boxes.spot(clock))})"
    yield f"if v is None: return {source.constant('unmapped', no_time)}"
    yield f"once = {made}({digest}(scope), v, {length_ms})"


def _origin_key_of(account: str, route_id: str) -> Callable[[Record], bytes]:
    digest = digest_of("key", (account, route_id, "origin"))

    def key(record: Record) -> bytes:
        origin = f"{record.topic}/{record.partition}/{record.offset}".encode()
        return beginning_with(record.offset, digest(origin))

    return key


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
