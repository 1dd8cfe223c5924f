"""Kafka's OffsetCommit on the wire, as far as a proxy has to understand it to refuse one.

Source: Apache Kafka's protocol guide, and its OffsetCommitRequest.json and OffsetCommitResponse.json.
"""

import struct
from dataclasses import dataclass

OFFSET_COMMIT = 8
_FLEXIBLE_FROM = 8
_TOPIC_IDS_FROM = 10
_UUID_BYTES = 16

Frame = bytes | bytearray
"""Without its length."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is in front of every request."""

    api: int
    version: int
    correlation: int
    end: int
    """Where the request itself begins."""


def request_header(frame: Frame) -> Header:
    """Of a frame without its length."""
    api, version, correlation, size = struct.unpack_from(">hhih", frame)
    return Header(api, version, correlation, 10 + max(size, 0))


class Cursor:
    """Walks over a frame's fields; gives the place of those that may be changed."""

    def __init__(self, frame: Frame, at: int, *, flexible: bool) -> None:
        self._frame = frame
        self.at = at
        self._flexible = flexible

    def skip(self, count: int) -> int:
        """Over a field of fixed size; gives where it is."""
        here = self.at
        self.at += count
        return here

    def skip_text(self) -> None:
        """Over a string, or none."""
        if self._flexible:
            self.skip(max(self._varint() - 1, 0))
            return
        (size,) = struct.unpack_from(">h", self._frame, self.skip(2))
        self.skip(max(size, 0))

    def count(self) -> int:
        """How many elements an array has."""
        if self._flexible:
            return max(self._varint() - 1, 0)
        (size,) = struct.unpack_from(">i", self._frame, self.skip(4))
        return max(size, 0)

    def skip_tags(self) -> None:
        """Over what newer versions put behind each structure."""
        if self._flexible:
            for _ in range(self._varint()):
                self._varint()
                self.skip(self._varint())

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._frame[self.skip(1)]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7


def partitions_in_request(frame: Frame, header: Header) -> list[int]:
    """Where the partition numbers (four bytes each) of an OffsetCommit request are."""
    version = header.version
    walk = Cursor(frame, header.end, flexible=version >= _FLEXIBLE_FROM)
    walk.skip_tags()
    walk.skip_text()  # group
    walk.skip(4)  # generation
    walk.skip_text()  # member
    if version >= 7:
        walk.skip_text()  # instance
    if version <= 4:
        walk.skip(8)  # retention
    places = []
    for _ in range(walk.count()):
        _skip_topic(walk, version)
        for _ in range(walk.count()):
            places.append(walk.skip(4))
            walk.skip(8)  # offset
            if version >= 6:
                walk.skip(4)  # leader epoch
            walk.skip_text()  # metadata
            walk.skip_tags()
        walk.skip_tags()
    return places


def partitions_in_answer(frame: Frame, version: int) -> list[int]:
    """Where the partition numbers of an OffsetCommit answer are; the two bytes behind each are its error."""
    walk = Cursor(frame, 4, flexible=version >= _FLEXIBLE_FROM)
    walk.skip_tags()
    if version >= 3:
        walk.skip(4)  # throttle time
    places = []
    for _ in range(walk.count()):
        _skip_topic(walk, version)
        for _ in range(walk.count()):
            places.append(walk.skip(4))
            walk.skip(2)  # error
            walk.skip_tags()
        walk.skip_tags()
    return places


def _skip_topic(walk: Cursor, version: int) -> None:
    if version >= _TOPIC_IDS_FROM:
        walk.skip(_UUID_BYTES)
    else:
        walk.skip_text()
