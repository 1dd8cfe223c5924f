"""What an act does to the running system, and how it is undone."""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from consumer.sandbox.simulator import ApiFaults, FaultPlan, Outage
from consumer.sandbox.simulator.api import ApiName
from tests.brokers import Drop, Fault, Hang, LocalKafka, Reply
from tests.chaos.act import Act, Kind
from tests.chaos.group import Member
from tests.chaos.production import Production
from tests.faults.network import Clear, Cut
from tests.faults.proxy import FaultProxy
from tests.integration.stage import Stage

FLOOD_RECORDS = 500
RETRY_AFTER_S = 2
LOST_SHARE = 0.3
SLOW_MS = 1_000.0

_APIS: tuple[ApiName, ...] = ("user_analytics", "client_api")
_REGISTRY_FAULTS: tuple[Fault, ...] = (
    Reply(500),
    Hang(),
    Drop(),
    Reply(200, b"garbage"),
    Reply(404, b"<html>"),
)
_OUTAGES: Mapping[Kind, Outage] = {
    Kind.ERROR_500: Outage(status=500),
    Kind.ERROR_401: Outage(status=401),
    Kind.THROTTLE: Outage(status=429, headers={"retry-after": str(RETRY_AFTER_S)}),
    Kind.DROP: Outage(drop=True),
}
_RATES: Mapping[Kind, ApiFaults] = {
    Kind.LOSE: ApiFaults(rate_lost_response=LOST_SHARE),
    Kind.SLOW: ApiFaults(latency_ms=SLOW_MS, jitter_ms=SLOW_MS),
}
CALM = ApiFaults(latency_ms=2.0, jitter_ms=4.0)
"""As over a network: so that there is something on the wire."""


class Stagehands:
    """Begins and ends acts. Nothing here waits for long: what does has a thread of its own."""

    def __init__(
        self,
        stage: Stage,
        members: list[Member],
        production: Production,
        broker: LocalKafka,
        to_broker: FaultProxy,
        topology: Path,
        seed: int,
    ) -> None:
        self._stage = stage
        self._members = members
        self._production = production
        self._broker = broker
        self._to_broker = to_broker
        self._topology = topology / "all.yaml"
        self._seed = seed
        self._outages: dict[ApiName, Outage] = {}
        self._rates: dict[ApiName, ApiFaults] = dict.fromkeys(_APIS, CALM)
        self._reloads = 0
        self._restarting: threading.Thread | None = None
        self.failures: list[str] = []

    def begin(self, act: Act) -> None:
        """Let it happen, or begin."""
        match act.kind:
            case Kind.KILL:
                self._members[act.target].kill()
            case Kind.STOP:
                self._members[act.target].terminate()
            case Kind.NAP | Kind.COMA:
                self._members[act.target].freeze()
            case Kind.RELOAD:
                self._reload()
            case Kind.BROKER_RESTART:
                self._in_a_thread(self._broker.stop)
            case Kind.BROKER_CUT:
                self._to_broker.inflict(Cut())
            case Kind.REGISTRY:
                self._stage.registry.break_with(_REGISTRY_FAULTS[int(act.at_s * 10) % len(_REGISTRY_FAULTS)])
            case Kind.FLOOD:
                self._production.flood(FLOOD_RECORDS)
            case _:
                api = _APIS[act.target]
                if act.kind in _OUTAGES:
                    self._outages[api] = _OUTAGES[act.kind]
                else:
                    self._rates[api] = _RATES[act.kind]
                self._tell_receiver()

    def end(self, act: Act) -> None:
        """Undo it; for what is over at once this is nothing."""
        match act.kind:
            case Kind.NAP | Kind.COMA:
                self._members[act.target].thaw()
            case Kind.BROKER_RESTART:
                self._in_a_thread(self._broker.start)
            case Kind.BROKER_CUT:
                self._to_broker.inflict(Clear())
            case Kind.REGISTRY:
                self._stage.registry.heal()
            case Kind.KILL | Kind.STOP | Kind.RELOAD | Kind.FLOOD:
                pass
            case _:
                self._outages.pop(_APIS[act.target], None)
                self._rates[_APIS[act.target]] = CALM
                self._tell_receiver()

    def calm(self) -> None:
        """How the receivers are between the acts."""
        self._tell_receiver()

    def wait(self) -> None:
        """Until the broker runs again, where it was stopped."""
        if self._restarting is not None:
            self._restarting.join()

    def _tell_receiver(self) -> None:
        remote = self._stage.receiver.remote
        analytics, client = (self._rates[api] for api in _APIS)
        remote.follow(FaultPlan(seed=self._seed, user_analytics=analytics, client_api=client))
        remote.declare(self._outages)

    def _reload(self) -> None:
        """Other bounds, which change how requests go out; the routes stay, and so does what must become of a record."""
        self._reloads += 1
        topology = yaml.safe_load(self._topology.read_text())
        topology["destinations"]["client"]["concurrency"] = 8 if self._reloads % 2 else 16
        topology["destinations"]["user-analytics"]["concurrency"] = 32 if self._reloads % 2 else 64
        new = self._topology.with_suffix(".new")
        new.write_text(yaml.safe_dump(topology, sort_keys=False))
        os.replace(new, self._topology)  # a consumer that starts meanwhile reads a whole file
        for member in self._members:
            member.hang_up()

    def _in_a_thread(self, do: Callable[[], None]) -> None:
        before = self._restarting

        def run() -> None:
            if before is not None:
                before.join()
            try:
                do()
            except RuntimeError as error:
                self.failures.append(str(error))

        self._restarting = threading.Thread(target=run, name="broker-restart", daemon=True)
        self._restarting.start()
