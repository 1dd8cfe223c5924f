"""When which fault comes: a pure function of the seed, so that the seed of a failure replays it."""

from collections.abc import Collection, Iterator, Mapping
from random import Random

from tests.chaos.act import BROKER_KINDS, ENDPOINT_KINDS, ENDPOINTS, MEMBER_KINDS, MEMBERS, Act, Kind

CALM_S = 5.0
"""Nothing happens so long at the start, while the group forms, and at the end."""

_GAPS_S = (1.0, 5.0)
_RECOVERY_S = 4.0
"""How long a member or the broker is left alone after what befell it: a process needs a moment to start."""
_LASTING_S: Mapping[Kind, tuple[float, float]] = {
    Kind.NAP: (0.5, 3.0),
    Kind.COMA: (8.0, 12.0),
    Kind.BROKER_RESTART: (0.5, 4.0),
    Kind.BROKER_CUT: (0.5, 9.0),
    Kind.REGISTRY: (2.0, 8.0),
    Kind.ERROR_500: (1.0, 6.0),
    Kind.ERROR_401: (1.0, 6.0),
    Kind.THROTTLE: (1.0, 5.0),
    Kind.DROP: (1.0, 5.0),
    Kind.LOSE: (1.0, 5.0),
    Kind.SLOW: (2.0, 8.0),
}


def schedule(seed: int, seconds: float, kinds: Collection[Kind] = tuple(Kind)) -> list[Act]:
    """The acts of a run, in the order of time; each is over before its last calm seconds.

    A longer run with the same seed begins in the same way. Kinds come by a shuffled deck, so that none is long
    in coming. What befalls the same member, endpoint or server never overlaps; everything else may.
    """
    acts: list[Act] = []
    for act in _endless(Random(seed), [kind for kind in Kind if kind in kinds]):
        if act.at_s >= seconds - CALM_S:
            return acts
        if act.until_s <= seconds - CALM_S:
            acts.append(act)
    return acts


def _endless(random: Random, kinds: list[Kind]) -> Iterator[Act]:
    at_s = CALM_S
    free_s: dict[str, float] = {}
    deck: list[Kind] = []
    while True:
        if not deck:
            deck = random.sample(kinds, len(kinds))
        kind = deck.pop()
        at_s += random.uniform(*_GAPS_S)
        lasting_s = random.uniform(*_LASTING_S[kind]) if kind in _LASTING_S else 0.0
        target = random.randrange(_targets(kind))
        place = _place(kind, target)
        begin_s = round(max(at_s, free_s.get(place, 0.0)), 1)
        act = Act(begin_s, kind, round(lasting_s, 1), target)
        free_s[place] = act.until_s + _RECOVERY_S
        at_s = max(at_s, begin_s)
        yield act


def _targets(kind: Kind) -> int:
    if kind in MEMBER_KINDS:
        return MEMBERS
    return len(ENDPOINTS) if kind in ENDPOINT_KINDS else 1


def _place(kind: Kind, target: int) -> str:
    if kind in MEMBER_KINDS:
        return f"member {target}"
    if kind in ENDPOINT_KINDS:
        return f"endpoint {target}"
    return "broker" if kind in BROKER_KINDS else kind
