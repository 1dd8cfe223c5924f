"""Numbers that never repeat, also after the store was flushed: no counter that a flush could set back.

All fit a signed 64-bit integer.
"""

from secrets import randbits


def new_token() -> int:
    """A reservation's token: random, so that a holder of before a flush can't free what a new holder has."""
    return randbits(62) + 1


def new_owner() -> int:
    """An owner's id: random, for the same reason."""
    return randbits(62) + 1


def next_epoch(standing: int | None, wall_s: float) -> int:
    """An epoch above the one that stands; without one, above all that this clock gave before.

    Milliseconds of the calendar, and 20 random bits so that two starts in one millisecond differ. A clock set
    back after a flush is the one way to an older epoch; the epochs that stand are passed whatever the clock
    says.
    """
    seeded = int(wall_s * 1000) << 20 | randbits(20)
    return seeded if standing is None else max(seeded, standing + 1)
