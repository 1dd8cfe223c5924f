"""Order: a user's events arrive in the order of their records."""

from tests.checker.arrivals import Arrivals
from tests.checker.evidence import Place
from tests.checker.expectation import Expectation
from tests.checker.findings import Findings

OUT_OF_ORDER = "a user's event arrived after a later one of the same user"


def judge_order(arrivals: Arrivals, expectation: Expectation, findings: Findings) -> int:
    """Compare first acceptances, key by key, with the places of records; gives how many pairs it compared.

    A late request of a killed process can only repeat what its successor sends too, so first acceptances are
    in order even over kills. An event counts where its first record lies. Records without a key are left out.
    """
    last: dict[bytes, tuple[Place, str]] = {}
    compared = 0
    for event_id in arrivals.first:
        expected = expectation.by_event[event_id][0]
        key = expected.stored.key
        if key is None:
            continue
        before = last.get(key)
        if before is not None:
            compared += 1
            if before[0] > expected.place:
                later = f"{before[1]} at {before[0]}"
                findings.add(
                    OUT_OF_ORDER, f"{arrivals.destination}: {event_id} at {expected.place} after {later}"
                )
                continue
        last[key] = (expected.place, event_id)
    return compared
