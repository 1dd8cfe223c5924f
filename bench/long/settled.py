"""How a consumer did in some seconds of a course: what it delivered, what was refused, and since when that held."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from consumer.errors import FaultError

_SPAN_S = 4.0
"""A rate is that of so long: a trial of fewer, or the pause after a refusal, is a part of it and not all."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look from outside."""

    at_s: float
    acknowledged: int
    """Requests until then."""
    refused: int
    """Likewise."""
    limit: int
    """How many requests at a time the consumer allowed itself."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Some seconds of a run."""

    per_second: float
    """Requests acknowledged."""
    refused_share: float
    """Of all requests."""
    limit: float
    """The median."""


def settled(samples: Sequence[Sample], from_s: float, to_s: float) -> Settled:
    """What happened between these moments. Raises FaultError where there is nothing to judge by."""
    seen = [one for one in samples if from_s <= one.at_s <= to_s]
    acknowledged = seen[-1].acknowledged - seen[0].acknowledged if seen else 0
    if not acknowledged:
        raise FaultError(f"nothing was delivered between {from_s:.0f} and {to_s:.0f} s of the run")
    refused = seen[-1].refused - seen[0].refused
    return Settled(
        per_second=_per_second(seen[0], seen[-1]),
        refused_share=refused / (acknowledged + refused),
        limit=median(one.limit for one in seen),
    )


def kept_after_s(samples: Sequence[Sample], from_s: float, to_s: float, least_per_s: float) -> float | None:
    """How long after `from_s` a rate was reached and kept: the next four seconds have it, and all until `to_s` on
    average. None: that was never so."""
    seen = [one for one in samples if from_s <= one.at_s <= to_s]
    ahead = 0
    for one in seen:
        while ahead < len(seen) and seen[ahead].at_s < one.at_s + _SPAN_S:
            ahead += 1
        if ahead == len(seen):
            break
        if min(_per_second(one, seen[ahead]), _per_second(one, seen[-1])) >= least_per_s:
            return one.at_s - from_s
    return None


def _per_second(first: Sample, last: Sample) -> float:
    return (last.acknowledged - first.acknowledged) / (last.at_s - first.at_s)
