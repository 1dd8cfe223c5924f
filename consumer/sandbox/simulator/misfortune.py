"""Everything that goes wrong on purpose at one moment: the outages and the plan's dice."""

from collections.abc import Mapping

from consumer.sandbox.simulator.api import API_NAMES, ApiName
from consumer.sandbox.simulator.fault_dice import FaultDice
from consumer.sandbox.simulator.faults import FaultPlan
from consumer.sandbox.simulator.outage import Outage


class Misfortune:
    """The state of faults and outages, changed while the simulator runs."""

    def __init__(self, plan: FaultPlan) -> None:
        self._outages: dict[ApiName, Outage] = {}
        self._remaining: dict[ApiName, int] = {}
        self.plan = plan
        self._dice: dict[ApiName, FaultDice] = {}
        self.follow(plan)

    def follow(self, plan: FaultPlan) -> None:
        """Take another plan from the next request on; its sequences begin anew."""
        self.plan = plan
        self._dice = {api: FaultDice(getattr(plan, api), seed=f"{plan.seed}/{api}") for api in API_NAMES}

    def dice(self, api: ApiName) -> FaultDice:
        """The dice of one API."""
        return self._dice[api]

    def declare(self, outages: Mapping[ApiName, Outage]) -> None:
        """These outages and no others from now on; an empty mapping ends all."""
        self._outages = dict(outages)
        self._remaining = {api: outage.count for api, outage in outages.items() if outage.count is not None}

    def outages(self) -> dict[ApiName, Outage]:
        """Those that last, with the count as declared."""
        return {api: self._outages[api] for api in API_NAMES if api in self._outages}

    def strike(self, api: ApiName) -> Outage | None:
        """The outage that meets the next request of this API, if one does; a counted one is used up by it."""
        outage = self._outages.get(api)
        if outage is not None and outage.count is not None:
            self._remaining[api] -= 1
            if self._remaining[api] == 0:
                del self._outages[api]
        return outage
