"""What follows when a worker ends. Decides only."""

import signal

import msgspec

from consumer.errors import (
    ConfigurationError,
    ConsumerError,
    FaultError,
    RefusedError,
    StoppedError,
)
from consumer.workers.worker_process import End

_ENDS_ALL = (2, 3, 4)
"""Usage, stopped with work unsettled, refused: the others would meet the same, as they share all that leads to it."""

_SEVERITY = (0, 3, 1, 4, 2)
"""Exit codes from good to bad: after 3 a start is enough, after 4 and 2 a person has to decide."""


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often a worker may end, and how soon it is started again."""

    base_s: float = 1.0
    max_s: float = 30.0
    attempts: int = 6
    """It ends so often in a row, and all is given up."""
    steady_s: float = 60.0
    """One that lived so long did not end in a row."""

    def delay_s(self, failures: int) -> float:
        """Seconds before the next start, after so many ends in a row (from 1)."""
        return min(self.max_s, self.base_s * 2.0 ** min(failures - 1, 30))


class Again(msgspec.Struct, frozen=True):
    """Start it again, so much later."""

    after_s: float


class Over(msgspec.Struct, frozen=True):
    """It has done its part."""


class EndAll(msgspec.Struct, frozen=True):
    """The others have to end as well; the run ends as this worker did."""


def next_step(
    policy: RestartPolicy, code: int, *, failures: int, until_end: bool, any_joined: bool
) -> Again | Over | EndAll:
    """What follows on an end that nobody asked for.

    code: its exit code, or minus the signal that ended it. failures: how often in a row it has ended, this time
    included. any_joined: whether a worker has ever joined the group; before that, what ends one is the start's own
    fault, and would end `run` too.
    """
    if code == 0 and until_end:
        return Over()
    if code in _ENDS_ALL or (code > 0 and not any_joined) or failures >= policy.attempts:
        return EndAll()
    return Again(policy.delay_s(failures))


def describe(code: int) -> str:
    """For people: how a process ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def error_of(number: int, end: End) -> ConsumerError:
    """What a run raises that ended because this worker did."""
    findings = end.findings
    text = f"worker {number}: {' '.join(findings)}" if findings else f"worker {number} {describe(end.code)}"
    match end.code:
        case 2:
            # All workers have the same configuration: which of them said it first is no news.
            return ConfigurationError(findings or [text])
        case 3:
            return StoppedError(text)
        case 4:
            return RefusedError(text)
        case _:
            return FaultError(text)


def worst(errors: list[ConsumerError]) -> ConsumerError | None:
    """The one whose exit code the run ends with; the first of several."""
    return max(errors, key=lambda one: _SEVERITY.index(one.exit_code), default=None)
