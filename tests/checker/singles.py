"""Which event an alias, an identify or a device stands for: they carry no event id."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec.structs import replace

from consumer.sandbox.simulator import LedgerItem
from tests.checker.event import Event
from tests.checker.expectation import Expectation
from tests.checker.fate import CLIENT, Accepted

_OPERATIONS = {"Identified": "identify", "Aliased": "alias", "DeviceRegistered": "devices"}


def named_singles(items: Sequence[LedgerItem], expectation: Expectation) -> list[LedgerItem]:
    """The items, with the id of the event that each stands for; more than there are events keep none.

    Of one user and operation the first different request is taken to be the first event's, and so on; requests
    are told apart by their Idempotency-Key. So that two of these swapped places does not show, but what is lost,
    doubled or strange does, and so does their order among everything else of the user.
    """
    waiting: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for event_id, records in reversed(expectation.by_event.items()):
        event, fate = records[0].event, records[0].fates.get(CLIENT)
        if event is not None and event.type in _OPERATIONS and isinstance(fate, Accepted):
            waiting[_OPERATIONS[event.type], _user(event)].append(event_id)
    known: dict[tuple[str, str | None], str | None] = {}
    out = []
    for item in items:
        if item.event_id is None and item.operation in _OPERATIONS.values():
            request = (item.operation, item.idempotency_key)
            if request not in known:
                left = waiting[item.operation, item.user]
                known[request] = left.pop() if left else None
            item = replace(item, event_id=known[request])
        out.append(item)
    return out


def _user(event: Event) -> str:
    """As the receiver names it: the external id, else the anonymous one."""
    ids = event.payload if event.type == "Aliased" else event.user
    return ids["external_id"] or ids["anonymous_id"] or ""
