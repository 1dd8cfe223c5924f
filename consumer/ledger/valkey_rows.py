"""How intents travel to the scripts of the ledger on Valkey, and what comes back, in fixed widths of bytes."""

import hashlib
from collections.abc import Iterable, Sequence
from struct import Struct

from consumer.core.claims import Buried, Duplicate, Fenced, Holder, Once, Refusal, Wait, Windowed
from consumer.core.windows import span
from consumer.errors import LedgerUnavailable
from consumer.ledger.ledger import Held, Intent
from consumer.types import Origin, TopicPartition

Argument = bytes | str | int

_DIGEST_BYTES = 16
_BIAS = 2**63
"""Added to a signed number, so that its bytes sort as it does."""
_NO_SCOPE = bytes(_DIGEST_BYTES)

_RESERVE = Struct(">16sHBq16sQQQ").pack
_CONFIRM = Struct(">16sHHBq16sQ").pack
_GIVE_BACK = Struct(">16sHHqQ").pack
_HOLDER = Struct(">IQ").unpack
_NEAR = Struct(">QIQ").unpack

_KEYED, _WINDOWED, _REDRIVEN, _OPEN_ENDED, _FOR_EVER = 1, 2, 4, 8, 4

Labels = dict[int, tuple[str, int, str]]
"""A stream's number in the store, and what it stands for: topic, partition, route."""


class Names:
    """The different names of one call, each told once; a record has their places."""

    def __init__(self) -> None:
        self._places: dict[object, int] = {}
        self.arguments: list[Argument] = []

    def place(self, name: object, arguments: Sequence[Argument]) -> int:
        """The place of a name, from 1 on; what tells it goes along when it is new."""
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = len(self._places) + 1
            self.arguments += arguments
        return place

    def __len__(self) -> int:
        return len(self._places)


def positions_key(group: str, topic: str) -> bytes:
    """Where the group's epochs, positions and first positions of a topic are."""
    return b"dc1p" + group.encode() + b"\0" + topic.encode()


def slot_bytes(intent: Intent) -> bytes:
    """What its reservation is filed under, always of one width."""
    key = intent.key
    if key is not None and len(key) == _DIGEST_BYTES:
        return key
    return _digest(b"key" if key is not None else b"slot", intent.slot)


def reserve_arguments(group: str, intents: Sequence[Intent]) -> list[Argument]:
    """Streams and records, as `reserve.lua` takes them."""
    streams = Names()
    rows = []
    for intent in intents:
        once, epoch = intent.once, None if intent.redrive else intent.epoch
        topic, partition = intent.topic, intent.partition
        name = (topic, partition, intent.route, epoch)
        stream = streams.place(
            name,
            (_label(intent), positions_key(group, topic), partition, "" if epoch is None else epoch),
        )
        flags = (intent.key is not None) * _KEYED | intent.redrive * _REDRIVEN
        scope, at, first, beyond = _NO_SCOPE, 0, 0, 0
        if once is not None:
            flags |= _WINDOWED
            scope, at = _scope(once), once.at_ms + _BIAS
            lowest, highest = span(once)
            first, beyond = lowest + _BIAS, highest + _BIAS + 1
            if beyond > 2**64 - 1:
                flags |= _OPEN_ENDED
                beyond = 0
        rows.append(_RESERVE(slot_bytes(intent), stream, flags, intent.offset, scope, at, first, beyond))
    return [len(streams), *streams.arguments, b"".join(rows)]


def confirm_arguments(intents: Sequence[Intent]) -> list[Argument]:
    """Streams, topologies and records, as `confirm.lua` takes them."""
    streams, topologies = Names(), Names()
    rows = []
    for intent in intents:
        once = intent.once
        stream, topology = _places(streams, topologies, intent)
        flags = (intent.key is not None) * _KEYED
        scope, at = _NO_SCOPE, 0
        if once is not None:
            flags |= _WINDOWED | (once.length_ms is None) * _FOR_EVER
            scope, at = _scope(once), once.at_ms + _BIAS
        rows.append(_CONFIRM(slot_bytes(intent), stream, topology, flags, intent.offset, scope, at))
    return _with_names(streams, topologies, rows)


def give_back_arguments(held: Sequence[Held]) -> list[Argument]:
    """Streams, topologies and records, as `give_back.lua` takes them."""
    streams, topologies = Names(), Names()
    rows = []
    for one in held:
        intent = one.intent
        stream, topology = _places(streams, topologies, intent)
        rows.append(_GIVE_BACK(slot_bytes(intent), stream, topology, intent.offset, one.token))
    return _with_names(streams, topologies, rows)


def token_bytes(token: int) -> bytes:
    """A token as the records of `give_back_arguments` have it."""
    return token.to_bytes(8, "big")


def labels_of(told: Sequence[int | bytes]) -> Labels:
    """The streams that an answer names."""
    labels: Labels = {}
    for number, label in zip(told[::2], told[1::2], strict=True):
        topic, partition, route = (
            bytes(label).decode().split("\0") if isinstance(label, bytes) else ("", "", "")
        )
        labels[int(number)] = topic, int(partition), route
    return labels


def holder_of(row: bytes, labels: Labels) -> Holder:
    """Who an 11-byte holder is."""
    number, offset = _HOLDER(b"\0" + row)
    return _named(number, offset, labels)


def refusal_of(why: bytes, who: Sequence[bytes], once: Once | None, labels: Labels) -> Refusal:
    """One refusal. Of several that stand against a window the nearest is named, as `core.windows` does."""
    match why:
        case b"fenced":
            return Fenced()
        case b"buried":
            return Buried()
    near = [(_NEAR(row[:8] + b"\0" + row[8:19]), row[19:]) for row in who]
    at_ms = 0 if once is None else once.at_ms
    holders = [
        (abs(at - _BIAS - at_ms), _named(number, offset, labels), token)
        for (at, number, offset), token in near
    ]
    _, (origin, _), token = min(holders)
    match why:
        case b"duplicate":
            return Duplicate(origin)
        case b"windowed":
            return Windowed(origin)
        case b"wait":
            return Wait(origin, int.from_bytes(token, "big"))
    raise LedgerUnavailable(f"the ledger gave a refusal that this release does not know: {why!r}")


def partitions_arguments(group: str, partitions: Iterable[TopicPartition]) -> list[Argument]:
    """Each partition as the hash of its topic, and its number."""
    return [part for one in partitions for part in (positions_key(group, one.topic), one.partition)]


def _named(number: int, offset: int, labels: Labels) -> Holder:
    topic, partition, route = labels[number]
    return Holder(Origin(topic, partition, offset - 2**64 if offset >= _BIAS else offset), route)


def _places(streams: Names, topologies: Names, intent: Intent) -> tuple[int, int]:
    stream = streams.place((intent.topic, intent.partition, intent.route), (_label(intent),))
    return stream, topologies.place(intent.topology, (intent.topology,))


def _with_names(streams: Names, topologies: Names, rows: list[bytes]) -> list[Argument]:
    return [
        len(streams),
        *streams.arguments,
        len(topologies),
        *topologies.arguments,
        b"".join(rows),
    ]


def _label(intent: Intent) -> str:
    return f"{intent.topic}\0{intent.partition}\0{intent.route}"


def _scope(once: Once) -> bytes:
    return once.scope if len(once.scope) == _DIGEST_BYTES else _digest(b"scope", once.scope)


def _digest(kind: bytes, name: bytes) -> bytes:
    return hashlib.blake2b(name, digest_size=_DIGEST_BYTES, person=kind).digest()
