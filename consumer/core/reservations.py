"""May this record be sent now? The whole decision for one claim, which every ledger follows.

A key and a window are two halves of one reservation: they are granted, taken over and given back together.
"""

from collections.abc import Sequence

import msgspec

from consumer.core.claims import (
    Accepted,
    Buried,
    Duplicate,
    Holder,
    Once,
    Refusal,
    Reserved,
    Wait,
    Windowed,
)
from consumer.core.windows import judge
from consumer.types import Origin


class Known(msgspec.Struct, frozen=True):
    """All that a ledger knows around one claim.

    `confirmed`: who delivered the key. `buried`: this very holder left a dead letter. `reserved`: the
    reservation of the slot. `accepted` and `rivals`: the accepted and the reserved records near in the scope,
    if a window is claimed; more than those do no harm.
    """

    confirmed: Origin | None = None
    buried: bool = False
    reserved: Reserved | None = None
    accepted: Sequence[Accepted] = ()
    rivals: Sequence[Reserved] = ()


class Grant(msgspec.Struct, frozen=True):
    """It may be sent, once the reservations `ended` are deleted: taken over, or its own of before."""

    ended: tuple[Reserved, ...] = ()


def decide(holder: Holder, once: Once | None, known: Known) -> Grant | Refusal:
    """The verdict, in this order.

    What has arrived is a duplicate, even of itself. What this very record was dead-lettered for is settled.
    An accepted record near in the window settles it too, whatever else is reserved. Then the outcomes that
    are open: a stranger's reservation of the key, or of a record near in the window, is waited for unless it
    has lapsed. The holder's own reservation never stands in its way, lapsed or not: a redelivered record must
    not wait for itself. But it gives no right either: the window is judged anew, because another may have
    been accepted meanwhile.
    """
    if known.confirmed is not None:
        return Duplicate(known.confirmed)
    if known.buried:
        return Buried()
    window: Windowed | Wait | list[Reserved] = []
    if once is not None:
        window = judge(holder, once, known.accepted, known.rivals)
    if isinstance(window, Windowed):
        return window
    key = known.reserved
    if key is not None and key.holder != holder and not key.lapsed:
        return Wait(key.holder.origin, key.token)
    if isinstance(window, Wait):
        return window
    ended = {row.slot: row for row in window}
    if key is not None:
        ended[key.slot] = key
    return Grant(ended=tuple(ended.values()))
