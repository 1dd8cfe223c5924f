"""How the long rows tell and read the receiver: all that they know of it."""

from bench.setting import Setting
from bench.workload import Workload
from consumer.sandbox.simulator.faults import ApiFaults, FaultPlan
from consumer.sandbox.simulator.outage import Outage


class Receiver:
    """The receiver of a setting, as one workload sees it. Every call blocks for one request."""

    def __init__(self, setting: Setting, workload: Workload) -> None:
        self._remote = setting.receiver.remote
        self._api = workload.api

    def expect(self, records: int) -> None:
        """Forget what arrived; so many are to come."""
        self._remote.reset()

    def behave(self, *, latency_ms: float = 0.0, status: int = 0) -> None:
        """From now on: how long a request takes, or an error status for everything."""
        self._remote.follow(FaultPlan.everywhere(ApiFaults(latency_ms=latency_ms), seed=1))
        self._remote.declare({self._api: Outage(status=status)} if status else {})

    @property
    def arrived(self) -> int:
        """Different records that arrived."""
        report = self._remote.report()
        book = report.client_api if self._api == "client_api" else report.user_analytics
        return book.accepted - book.duplicates
