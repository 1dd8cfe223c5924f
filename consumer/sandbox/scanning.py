"""Made-up scans at the touchpoints of one experience, for the receiver to be asked about."""

from datetime import UTC, datetime, timedelta
from random import Random

from consumer.sandbox.simulator import Touchpoint, Visit

EXPERIENCE = "47Gop5"
_PLACES = ("Entry", "Fan Zone", "Exit")
_LEAST, _MOST = 60, 240
"""Scans of a touchpoint: more than one page of 50."""
_VISITORS = 80
_AGAIN = 0.1


def scanned_touchpoints(seed: int, end: datetime) -> tuple[Touchpoint, ...]:
    """The same for the same seed and end. Some users scan often, some scans happen at the same second, and
    some twice: the same user, touchpoint and second.
    """
    rng = Random(f"{seed}/scans")
    return tuple(_touchpoint(rng, number, place, end) for number, place in enumerate(_PLACES, 1))


def _touchpoint(rng: Random, number: int, place: str, end: datetime) -> Touchpoint:
    visits: list[Visit] = []
    for _ in range(rng.randint(_LEAST, _MOST)):
        if visits and rng.random() < _AGAIN:
            visits.append(rng.choice(visits))
            continue
        at = end.astimezone(UTC) - timedelta(seconds=rng.randrange(6 * 60 * 60))
        user_id = f"usr-{rng.randrange(_VISITORS):04d}"
        visits.append(Visit(user_id=user_id, timestamp_utc=f"{at:%Y-%m-%dT%H:%M:%S}Z"))
    return Touchpoint(
        id=f"tp-{number}",
        name=f"{place} Scan",
        value=f"{place.lower().replace(' ', '_')}_scan",
        experience_id=EXPERIENCE,
        visits=tuple(visits),
    )
