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
    if len(seen) < 2 or seen[-1].acknowledged == seen[0].acknowledged:
        raise FaultError(f"nothing was delivered between {from_s:.0f} and {to_s:.0f} s of the run")
    acknowledged = seen[-1].acknowledged - seen[0].acknowledged
    refused = seen[-1].refused - seen[0].refused
    return Settled(
        per_second=acknowledged / (seen[-1].at_s - seen[0].at_s),
        refused_share=refused / (acknowledged + refused),
        limit=median(one.limit for one in seen),
    )


def kept_after_s(samples: Sequence[Sample], from_s: float, to_s: float, least_per_s: float) -> float | None:
    """How long after `from_s` a rate was reached for good: no four seconds from then to `to_s` fall below it.

    None: the last four still do.
    """
    seen = [one for one in samples if from_s <= one.at_s <= to_s]
    since_s, ahead = None, 0
    for one in seen:
        while ahead < len(seen) and seen[ahead].at_s < one.at_s + _SPAN_S:
            ahead += 1
        if ahead == len(seen):
            break
        per_s = (seen[ahead].acknowledged - one.acknowledged) / (seen[ahead].at_s - one.at_s)
        if per_s < least_per_s:
            since_s = None
        elif since_s is None:
            since_s = one.at_s - from_s
    return since_s
