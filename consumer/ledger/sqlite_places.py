"""How a whole call's rows come to SQLite in one statement: digests, and times, as one string of bytes, places as JSON.

That takes half the time of a statement a row, and hands over the interpreter's lock once instead of once a row.
"""

from collections.abc import Callable, Iterable, Sequence

DIGEST_BYTES = 16

SOURCE_BITS = 20
_PLACES = 1 << 63

_TIME_DIGITS = 13
USUAL_MS = range(10 ** (_TIME_DIGITS - 1), 10**_TIME_DIGITS)
"""The times that have so many digits: of the years 2001 to 2286. Records of others are decided one by one."""


def digest_in(digests: str) -> str:
    """In SQL: the digest that belongs to a row of `json_each`."""
    return f"substr({digests}, key * {DIGEST_BYTES} + 1, {DIGEST_BYTES})"


DIGEST = digest_in("?")


def time_in(times: str) -> str:
    """In SQL: the one of `times_of` that belongs to a row of `json_each`. As JSON beside each place it would be parsed
    wherever it is used."""
    return f"CAST(substr({times}, key * {_TIME_DIGITS} + 1, {_TIME_DIGITS}) AS INTEGER)"


def times_of(at_ms: Iterable[int]) -> bytes:
    """For `time_in`; all of them of `USUAL_MS`."""
    return "".join(map(str, at_ms)).encode()


def source_of(place: str) -> str:
    """In SQL: the source's number in a place."""
    return f"({place}) & {(1 << SOURCE_BITS) - 1}"


def offset_of(place: str) -> str:
    """In SQL: the offset in a place."""
    return f"({place}) >> {SOURCE_BITS}"


class LowBits(dict[tuple[str, int, str], int]):
    """What topic, partition and route are in a place, looked up once: `offset << SOURCE_BITS | low` is the place."""

    def __init__(self, number: Callable[[str, int, str], int]) -> None:
        """`number`: gives their small number."""
        super().__init__()
        self._number = number

    def __missing__(self, stream: tuple[str, int, str]) -> int:
        number = self._number(*stream)
        # -1 makes every place of it negative, which is not usual.
        low = self[stream] = number if number < 1 << SOURCE_BITS else -1
        return low


def are_usual(digests: Iterable[bytes], places: Sequence[int]) -> bool:
    """Whether all of these can be rows of such statements: else each has to go alone."""
    return set(map(len, digests)) <= {DIGEST_BYTES} and min(places) >= 0 and max(places) < _PLACES
