"""Everything about one simulator that changes while it runs."""

from dataclasses import dataclass

from consumer.clock import Clock
from consumer.sandbox.simulator.client_people import ClientPeople
from consumer.sandbox.simulator.config import SimulatorConfig
from consumer.sandbox.simulator.event_limits import EventLimits
from consumer.sandbox.simulator.ledger import Ledger
from consumer.sandbox.simulator.misfortune import Misfortune
from consumer.sandbox.simulator.scans import Scans
from consumer.sandbox.simulator.traffic import Traffic
from consumer.sandbox.simulator.world import World


@dataclass(frozen=True, slots=True)
class SimulatorState:
    """Shared by the APIs, which use and fill it, and the control paths, which show and change it."""

    world: World
    scans: Scans
    limits: EventLimits
    people: ClientPeople
    ledger: Ledger
    traffic: Traffic
    misfortune: Misfortune

    @classmethod
    def of(cls, config: SimulatorConfig, clock: Clock) -> "SimulatorState":
        """As it is at the start."""
        return cls(
            world=World(
                pairs=config.pairs,
                experiences=config.experiences,
                experience_values=config.experience_values,
                experience_pattern=config.experience_pattern,
                unknown_experience_prefix=config.unknown_experience_prefix,
                users=config.users,
                unknown_users=config.unknown_users,
            ),
            scans=Scans(config.touchpoints, experiences=config.experiences),
            limits=EventLimits(clock, open_names=config.event_open_names, keep=config.keep),
            people=ClientPeople(keep=config.keep),
            ledger=Ledger(keep_items=config.keep_items, keep=config.keep),
            traffic=Traffic(),
            misfortune=Misfortune(config.faults),
        )

    def forget(self) -> None:
        """All that was received, and what follows from it; faults, users and touchpoints stay."""
        self.ledger.reset()
        self.limits.forget()
        self.people.forget()
        self.traffic.forget()
