"""What no answer at all means: the same for every API."""

from collections.abc import Mapping

from consumer.endpoints.outcome import Halted, Late, Outcome, Unclear
from consumer.http.sender import Failure, FailureKind

_OUTCOMES: Mapping[FailureKind, Outcome] = {
    # No connection: the address or the network is to be mended, and no record is at fault.
    FailureKind.CONNECT: Halted("cannot connect"),
    FailureKind.DNS: Halted("name not resolved"),
    FailureKind.TLS: Halted("TLS refused"),
    # The receiver may have the request, and its answer was lost or not understood.
    FailureKind.TIMEOUT: Unclear("no answer in time"),
    FailureKind.RESET: Unclear("connection lost"),
    FailureKind.PROTOCOL: Unclear("answer not understood"),
    FailureKind.BODY_TOO_LARGE: Unclear("answer too large"),
    # Nobody's fault but ours.
    FailureKind.LATE: Late(),
}
_NO_CONNECTION = Halted("no connection in time")
_LOST_WHILE_CONNECTING = Halted("connection lost before anything was sent")


def outcome_of(failure: Failure, address: str) -> Outcome:
    """Of a request that ended without an answer. `address`: the host and port that no connection was had with.

    Where it is certain that nothing was sent, it is the destination's fault whatever the kind: a host that
    swallows packets ends in a time-out while connecting, and to call that unclear would put records in doubt
    that never left, and could in the end blame one of them.

    `failure.reason` is the client's own text: it is for the log, and not repeated here.
    """
    outcome = _OUTCOMES[failure.kind]
    if not (failure.sent or isinstance(outcome, Halted | Late)):
        outcome = _NO_CONNECTION if failure.kind is FailureKind.TIMEOUT else _LOST_WHILE_CONNECTING
    return Halted(f"{outcome.reason}: {address}") if isinstance(outcome, Halted) else outcome
