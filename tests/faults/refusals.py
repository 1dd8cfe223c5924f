"""Commits that a broker refuses, each error as it is asked for: a tap for a proxy in front of a real broker.

A commit that is to be refused is sent on for partitions that do not exist. So the broker itself refuses it, nothing of
it is stored, and only the number of its error is changed on the way back.
"""

import struct
import threading
from collections.abc import Collection

from tests.faults.kafka_frames import (
    OFFSET_COMMIT,
    partitions_in_answer,
    partitions_in_request,
    request_header,
)
from tests.faults.network import Towards

_NOWHERE = 1_000_000
"""Added to a partition's number."""


class Refusals:
    """What is refused now, for all connections. `tap` is for `FaultProxy`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0
        self._code = 0
        self._partitions: frozenset[int] | None = None
        self.refused = 0
        """How many commits were."""

    def refuse(self, code: int, *, times: int, partitions: Collection[int] | None = None) -> None:
        """The next commits fail with this error of Kafka's; for these partitions only, where some are named."""
        with self._lock:
            self._code, self._left = code, times
            self._partitions = None if partitions is None else frozenset(partitions)

    def stop(self) -> None:
        """Refuse nothing any more."""
        self.refuse(0, times=0)

    def take(self, numbers: Collection[int]) -> tuple[int, frozenset[int]] | None:
        """The error for a commit of these partitions, and those of them that get it; None: let it pass."""
        with self._lock:
            meant = frozenset(numbers if self._partitions is None else self._partitions & set(numbers))
            if self._left <= 0 or not meant:
                return None
            self._left -= 1
            self.refused += 1
            return self._code, meant

    def tap(self) -> "CommitTap":
        """For one connection."""
        return CommitTap(self)


class CommitTap:
    """One connection: cuts both streams into frames, and changes commits and their answers."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._kept = dict.fromkeys(Towards, b"")
        self._asked: dict[int, tuple[int, int]] = {}
        """By correlation: the request's version and the error that its answer gets."""

    def passing(self, data: bytes, towards: Towards) -> bytes:
        kept = self._kept[towards] + data
        out = bytearray()
        while len(kept) >= 4:
            (size,) = struct.unpack_from(">i", kept)
            if len(kept) < 4 + size:
                break
            frame = bytearray(kept[4 : 4 + size])
            self._request(frame) if towards is Towards.SERVER else self._answer(frame)
            out += kept[:4] + frame
            kept = kept[4 + size :]
        self._kept[towards] = kept
        return bytes(out)

    def _request(self, frame: bytearray) -> None:
        header = request_header(frame)
        if header.api != OFFSET_COMMIT:
            return
        places = partitions_in_request(frame, header)
        numbers = {place: struct.unpack_from(">i", frame, place)[0] for place in places}
        refusal = self._refusals.take(numbers.values())
        if refusal is None:
            return
        code, meant = refusal
        for place, number in numbers.items():
            if number in meant:
                struct.pack_into(">i", frame, place, number + _NOWHERE)
        self._asked[header.correlation] = (header.version, code)

    def _answer(self, frame: bytearray) -> None:
        (correlation,) = struct.unpack_from(">i", frame)
        asked = self._asked.pop(correlation, None)
        if asked is None:
            return
        version, code = asked
        for place in partitions_in_answer(frame, version):
            (number,) = struct.unpack_from(">i", frame, place)
            if number >= _NOWHERE:
                struct.pack_into(">ih", frame, place, number - _NOWHERE, code)
