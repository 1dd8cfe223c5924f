"""Which acts explain duplicates, and how many: everything else must cause none."""

from tests.chaos.act import BROKER_KINDS, ENDPOINTS, MEMBERS, Act, Kind
from tests.checker.disturbance import Disturbance

_SLOW_MS = 3_000
"""How much longer a request may take where the endpoint is slow."""
_REBALANCE_MS = 15_000
"""How long after the broker is back partitions may still change hands without a drain."""


def disturbance_of(act: Act, from_ms: int, until_ms: int) -> Disturbance | None:
    """`from_ms` and `until_ms`: when it really began and ended."""
    match act.kind:
        case Kind.KILL:
            return Disturbance("a kill", from_ms, until_ms + _SLOW_MS)
        case Kind.COMA:
            # On waking it ends the requests that it had begun: they come after those of who took over.
            return Disturbance("a long stop", from_ms, until_ms + _SLOW_MS)
        case Kind.LOSE:
            name = ENDPOINTS[act.target]
            return Disturbance("lost answers", from_ms, until_ms, processes=None, destination=name)
        case kind if kind in BROKER_KINDS:
            return Disturbance("a broker's absence", from_ms, until_ms + _REBALANCE_MS, processes=MEMBERS)
    return None
