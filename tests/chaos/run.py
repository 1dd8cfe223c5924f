"""A chaos run from its first record to its books."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from consumer.sandbox.generator import Plan
from consumer.sandbox.simulator import SimulatorConfig, SimulatorProcess
from tests.brokers import Broker, LocalKafka, SchemaRegistry
from tests.brokers.ports import free_ports
from tests.chaos.act import MEMBERS, Act, Kind
from tests.chaos.disturbances import disturbance_of
from tests.chaos.group import Member, unbalanced
from tests.chaos.production import Production
from tests.chaos.progress import Progress
from tests.chaos.stagehands import Stagehands
from tests.checker import CommitWatch, Report
from tests.checker.disturbance import Disturbance
from tests.checker.fate import CLIENT, USER_ANALYTICS
from tests.faults.proxy import FaultProxy
from tests.integration.stage import Stage

PARTITIONS = 6
SETTLE_S = 240.0
"""How long all may take, after the last fault, to be settled and committed."""
START_S = 90.0
_TURN_S = 0.05
_MOST_ITEMS = {USER_ANALYTICS: 1, CLIENT: 100}
"""In one request, as shipped."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a run."""

    report: Report | None
    """None where it did not settle: then there is nothing to judge yet."""
    problems: Sequence[str]
    produced: int
    acts: Mapping[Kind, int]
    """How many of each kind."""
    restarts: int
    gave_up: int
    """How many of the restarts were of consumers that had found no broker at their start."""
    settle_s: float
    """From the last fault's end to the last commit."""
    longest_stall_s: float
    logs: Path
    """Where the consumers' logs are."""

    @property
    def balanced(self) -> bool:
        return self.report is not None and not self.report.findings and not self.problems


class ChaosRun:
    """Made on a broker of its own; `play` once."""

    def __init__(self, acts: Sequence[Act], *, seconds: float, seed: int, rate: float, quiet: bool) -> None:
        self._acts = acts
        self._seconds = seconds
        self._seed = seed
        self._rate = rate
        self._quiet = quiet
        self._problems: list[str] = []
        self._disturbances: list[Disturbance] = []

    def play(self, libs: Path) -> Finished:
        """Blocks for the whole run. `libs`: Kafka's jars."""
        logs = Path(tempfile.mkdtemp(prefix="chaos-"))
        with ExitStack() as stack:
            stage, kafka, to_broker = self._build(stack, libs, logs)
            watch = stack.enter_context(stage.watch())
            return self._run(stage, kafka, to_broker, watch, logs)

    def _build(self, stack: ExitStack, libs: Path, logs: Path) -> tuple[Stage, LocalKafka, FaultProxy]:
        """Consumers and production reach the broker by a proxy, which it advertises; so does the checker."""
        (port,) = free_ports(1)
        kafka = LocalKafka(libs, settings={"advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}"})
        to_broker = stack.enter_context(FaultProxy(kafka.bootstrap_servers, port=port))
        stack.callback(kafka.close)
        kafka.start()
        broker = Broker(to_broker.address, "chaos", process=kafka)
        registry = stack.enter_context(SchemaRegistry())
        config = SimulatorConfig(distinct_api_key="distinct-key", client_api_key="pk_client")
        receiver = stack.enter_context(SimulatorProcess(config))
        stage = Stage(broker, registry, receiver, logs, PARTITIONS)
        stack.callback(stage.close)
        stage.create_letters()
        return stage, kafka, to_broker

    def _run(
        self, stage: Stage, kafka: LocalKafka, to_broker: FaultProxy, watch: CommitWatch, logs: Path
    ) -> Finished:
        # So many unclear answers, with others acknowledged in between, are no fault of a record here.
        patient = {"retry": {"unclear_votes": 100, "max_delay": "2s", "unknown_user_delay": "200ms"}}
        topology = stage.topology(client=patient, analytics=patient)
        flags = ("--output", "json")
        members = [
            Member(f"consumer {number + 1}", lambda: stage.consumer(*flags, topology=topology))
            for number in range(MEMBERS)
        ]
        plan = Plan.ending_at(
            time.time_ns() // 1_000_000,
            count=int(self._rate * (self._seconds + START_S)),  # `stop` ends it before
            seed=self._seed,
            schema_id=stage.schema_id,
        )
        production = Production(to_broker.address, stage.topic, plan, self._rate)
        hands = Stagehands(stage, members, production, kafka, to_broker, topology, self._seed)
        hands.calm()
        progress = Progress(
            lambda: sum(watch.standing.values()), lambda: production.acknowledged, quiet=self._quiet
        )
        production.start()
        stage.wait_until(lambda: sum(watch.standing.values()) > 0, START_S)
        progress.begin()
        self._perform(hands, members, progress)
        last_fault_s = time.monotonic()
        progress.tell("the last fault is over; production ends, and all must settle now")
        production.stop()
        hands.wait()
        self._problems += [*hands.failures, *production.errors[:3]]
        report = self._settle(stage, watch, members, progress)
        return Finished(
            report,
            self._problems,
            production.acknowledged,
            {kind: sum(act.kind is kind for act in self._acts) for kind in Kind},
            sum(member.restarts for member in members),
            sum(member.gave_up for member in members),
            time.monotonic() - last_fault_s,
            progress.longest_stall_s,
            logs,
        )

    def _perform(self, hands: Stagehands, members: Sequence[Member], progress: Progress) -> None:
        """Every act at its time. What it did to whom is remembered by the clock, for the checker."""
        waiting = list(self._acts)
        lasting: dict[Act, int] = {}
        while progress.elapsed_s < self._seconds:
            elapsed_s = progress.elapsed_s
            for act in [one for one in lasting if one.until_s <= elapsed_s]:
                hands.end(act)
                self._remember(act, lasting.pop(act))
            while waiting and waiting[0].at_s <= elapsed_s:
                act = waiting.pop(0)
                progress.tell(str(act)[10:])
                lasting[act] = time.time_ns() // 1_000_000
                hands.begin(act)
            self._look(members, progress)
            time.sleep(_TURN_S)

    def _remember(self, act: Act, from_ms: int) -> None:
        done = disturbance_of(act, from_ms, time.time_ns() // 1_000_000)
        if done is not None:
            self._disturbances.append(done)

    def _look(self, members: Sequence[Member], progress: Progress) -> None:
        progress.look()
        for member in members:
            if (problem := member.look()) is not None:
                progress.tell(problem.splitlines()[0])
                self._problems.append(problem)

    def _settle(
        self, stage: Stage, watch: CommitWatch, members: Sequence[Member], progress: Progress
    ) -> Report | None:
        ends = {partition: end for partition, end in stage.broker.end_offsets(stage.topic).items() if end}
        until_s = time.monotonic() + SETTLE_S
        while any(watch.standing.get(partition) != end for partition, end in ends.items()):
            if time.monotonic() > until_s:
                self._problems.append(
                    f"not settled in {SETTLE_S:.0f} s: committed {watch.standing} of {ends}"
                )
                return None
            self._look(members, progress)
            time.sleep(_TURN_S)
        progress.tell("all is committed; the consumers are stopped, and the books are checked")
        for member in members:
            if not member.process.running:
                continue  # It ended on purpose a moment ago, and was not started again yet.
            if (code := member.process.stop()) != 0:
                self._problems.append(f"{member.name} ended with {code} at the end{member.process.tail()}")
            elif (problem := unbalanced(member.process)) is not None:
                self._problems.append(problem)
        report = stage.check(watch, self._disturbances)
        self._judge_lost_answers(stage, report)
        return report

    def _judge_lost_answers(self, stage: Stage, report: Report) -> None:
        """What lost answers explain is at most what was in the requests whose answers were lost."""
        received = stage.receiver.remote.report()
        books = {USER_ANALYTICS: received.user_analytics, CLIENT: received.client_api}
        for name, caused in report.caused.items():
            repeats = sum(len(one.before_ms) for one in caused if one.by.processes is None)
            most = books[name].lost_responses * _MOST_ITEMS[name]
            if repeats > most:
                self._problems.append(f"{name}: {repeats} duplicates from lost answers, of at most {most}")
