"""Fixed windows of event time: may this record occupy its window, given the others of its scope?

The rule: a record is discarded while its distance in event time to any accepted record of the scope,
before or after, is under the window's length; at exactly the length it is accepted. What counts is the set
of accepted and reserved records, not one anchor: late records and clocks in the year 2099 happen, and must
not move the window of the others.
"""

from collections.abc import Iterable

from consumer.core.claims import Accepted, Holder, Once, Reserved, Wait, Windowed

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1


def near(once: Once, at_ms: int) -> bool:
    """Whether a record at `at_ms` of the same scope is inside the window around this one."""
    return once.length_ms is None or abs(once.at_ms - at_ms) < once.length_ms


def span(once: Once) -> tuple[int, int]:
    """The first and the last `at_ms`, both included, that are near; within the 64 bits a store can hold."""
    if once.length_ms is None:
        return _INT64_MIN, _INT64_MAX
    reach_ms = once.length_ms - 1
    return max(once.at_ms - reach_ms, _INT64_MIN), min(once.at_ms + reach_ms, _INT64_MAX)


def judge(
    holder: Holder, once: Once, accepted: Iterable[Accepted], reserved: Iterable[Reserved]
) -> Windowed | Wait | list[Reserved]:
    """Weigh one claim against the others of its scope; those that are not near do not count.

    Near another's accepted record it is windowed at once, whatever else is reserved: no outcome frees it.
    Near another's living reservation only, it waits for the outcome. Else the window is free, once the
    reservations given back are ended: lapsed ones, which it takes over, and its own. Of several the nearest
    is named.
    """
    owners = [row for row in accepted if row.holder != holder and near(once, row.at_ms)]
    if owners:
        owner = min(owners, key=lambda row: (abs(row.at_ms - once.at_ms), row.holder))
        return Windowed(owner.holder.origin)
    rivals = [row for row in reserved if row.at_ms is not None and near(once, row.at_ms)]
    living = [row for row in rivals if row.holder != holder and not row.lapsed]
    if living:
        rival = min(living, key=lambda row: (abs((row.at_ms or 0) - once.at_ms), row.holder))
        return Wait(rival.holder.origin, rival.token)
    return rivals
