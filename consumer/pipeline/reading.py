"""Parcels to data: in portions that fit into the memory, and without the records that a child died of."""

from collections import deque
from collections.abc import Mapping, Sequence

from consumer.avro.decoder import Decoded, Decoder
from consumer.avro.native import Shortcut
from consumer.avro.undecodable import Undecodable
from consumer.pipeline.work import Parcel
from consumer.types import Record


class Reading:
    """Of one decoder. Waits for nothing."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def fits(self, parcel: Parcel) -> bool:
        """Whether its data may be in memory at once."""
        return self._portion(parcel) == len(parcel.records)

    def divide(self, backlog: deque[Parcel], parcel: Parcel) -> bool:
        """Whether it did not fit, and is now two parcels, of which the first does."""
        if parcel.fatal is not None or (count := self._portion(parcel)) == len(parcel.records):
            return False
        at = backlog.index(parcel)
        backlog[at], rest = parcel.divide(count)
        backlog.insert(at + 1, rest)
        return True

    def data(
        self,
        values: Sequence[Record],
        fatal: Mapping[int, Undecodable] | None,
        shortcuts: Mapping[bytes, Shortcut | None] | None,
    ) -> Sequence[Decoded]:
        """As `Decoder.answer`; `fatal`: the verdicts that stand already, by index."""
        if not fatal:
            return self._decoder.answer(values, shortcuts)
        rest = [one for index, one in enumerate(values) if index not in fatal]
        sound = iter(self._decoder.answer(rest, shortcuts))
        return [fatal[index] if index in fatal else next(sound) for index in range(len(values))]

    def _portion(self, parcel: Parcel) -> int:
        light = parcel.data_bytes <= self._decoder.light_bytes
        return len(parcel.records) if light else self._decoder.portion(parcel.records)


def with_value(records: list[Record]) -> list[Record]:
    """All but the tombstones."""
    return [record for record in records if record.value is not None]
