"""What the server needs to know of an API."""

from typing import Literal, Protocol, get_args

from consumer.sandbox.simulator.answer import Answer
from consumer.sandbox.simulator.request import Request
from consumer.sandbox.simulator.verdict import Verdict

ApiName = Literal["user_analytics", "capture_analytics", "touchpoint_metrics", "event_api", "client_api"]
API_NAMES: tuple[ApiName, ...] = get_args(ApiName)


class Api(Protocol):
    """One simulated API: pure, it neither waits nor keeps anything."""

    @property
    def name(self) -> ApiName:
        """Its name in the fault plan and in the ledger."""
        ...

    @property
    def method(self) -> str:
        """The only one that its paths allow."""
        ...

    @property
    def paths(self) -> frozenset[str]:
        """The paths that it answers."""
        ...

    @property
    def folders(self) -> frozenset[str]:
        """Beginnings of paths, each with a slash at its end, behind which one value stands."""
        ...

    def judge(self, request: Request) -> Verdict:
        """Accept or refuse, with the answer to send."""
        ...

    def failure(self, status: int) -> Answer:
        """What a fault or an outage with this status looks like here."""
        ...
