"""One test's whole surroundings: topics, registry, receivers, ledger, and consumers in processes."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from consumer.sandbox import generator
from consumer.sandbox.simulator import LedgerItem, SimulatorProcess
from consumer.sandbox.simulator.api import ApiName
from tests.brokers import Broker, SchemaRegistry, StoredRecord
from tests.checker import CommitWatch, Evidence, Report, check, committed_offsets, letter_of, read_commits
from tests.checker.disturbance import Disturbance
from tests.checker.fate import CLIENT, USER_ANALYTICS
from tests.integration.events import Events
from tests.integration.processes import ConsumerProcess, wait_until
from tests.integration.topology_copy import Changes, copy_topology, on_the_wire

_APIS: Mapping[str, ApiName] = {USER_ANALYTICS: "user_analytics", CLIENT: "client_api"}

# A user whom nobody knows is waited for: briefly here.
_QUICK: Changes = {"retry": {"unknown_user_delay": "200ms"}}


class Stage:
    """Names of a test's own on the shared broker, and everything else made for it alone."""

    def __init__(
        self,
        broker: Broker,
        registry: SchemaRegistry,
        receiver: SimulatorProcess,
        folder: Path,
        partitions: int,
        topic_config: Mapping[str, str] | None = None,
    ) -> None:
        self.broker = broker
        self.registry = registry
        self.receiver = receiver
        self.folder = folder
        self.topic = broker.topic("user-events", partitions=partitions, config=topic_config)
        self.letters = f"{self.topic}.dead-letters"
        self.group = broker.group()
        self.schema = generator.user_event_schema()
        self.schema_id = registry.register(f"{self.topic}-value", self.schema)
        self.events = Events(self.schema_id)
        self.kills_ms: list[int] = []
        self._processes: list[ConsumerProcess] = []
        self._topologies = 0
        self._unchanged: Path | None = None

    def create_letters(self, config: Mapping[str, str] | None = None) -> None:
        """The dead-letter topic. The broker stamps it, so that its times can be held against the commits."""
        stamped = {"message.timestamp.type": "LogAppendTime", **(config or {})}
        self.broker.create(self.letters, partitions=1, config=stamped)

    def topology(
        self, *, topic: Changes | None = None, client: Changes | None = None, analytics: Changes | None = None
    ) -> Path:
        """A copy of the shipped topology for this topic, with changes to it and to the two destinations."""
        self._topologies += 1
        of_destinations = {CLIENT: client or {}, USER_ANALYTICS: {**_QUICK, **(analytics or {})}}
        folder = self.folder / f"topology-{self._topologies}"
        return copy_topology(folder, self.topic, of_topic=topic, of_destinations=of_destinations)

    def consumer(
        self, *flags: str, topology: Path | None = None, module: str = "consumer", **settings: str
    ) -> ConsumerProcess:
        """Start a consumer with the settings of this stage; `settings` are environment variables that win, and
        `module` is run in place of the command."""
        name = f"{len(self._processes) + 1}"
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "SCHEMA_REGISTRY_URL": self.registry.url,
            "CONSUMER_GROUP": self.group,
            "LEDGER_URL": f"sqlite:///{self.folder / 'ledger.db'}",
            "ADMIN_LISTEN": "127.0.0.1:0",
            "TOPOLOGY": str(topology or self._shipped()),
            "DISTINCT_BASE_URL": self.receiver.base_url,
            "DISTINCT_API_KEY": "distinct-key",
            "CLIENT_API_BASE_URL": self.receiver.base_url,
            "CLIENT_API_KEY": "pk_client",
            "KAFKA_PROPERTIES": str(self._properties(name, classic="consumer" not in flags)),
            **settings,
        }
        self._processes.append(ConsumerProcess(name, self.folder, flags, environment, module=module))
        return self._processes[-1]

    def to_the_end(self, *flags: str, topology: Path | None = None, **settings: str) -> ConsumerProcess:
        """Run a consumer with `--until-end`, and wait for its end; the test looks at the exit code."""
        bounds = ("--until-end", "--timeout", "60", "--output", "json")
        consumer = self.consumer(*bounds, *flags, topology=topology, **settings)
        consumer.wait(90.0)
        return consumer

    def produce(self, *values: bytes | None, key: bytes | None = b"user-1", partition: int = 0) -> None:
        """Append records with one key."""
        self.broker.produce(self.topic, [(key, value) for value in values], partition=partition)

    def produce_customs(self, *event_ids: str, partition: int = 0) -> None:
        """Append events that go to the Client API only, each of a user of its own."""
        users = [f"user-{event_id}" for event_id in event_ids]
        records = [
            (user.encode(), self.events.custom(event_id, user=user))
            for event_id, user in zip(event_ids, users, strict=True)
        ]
        self.broker.produce(self.topic, records, partition=partition)

    def generate(self, count: int, *, seed: int = 1, mix: generator.Mix | None = None) -> generator.Produced:
        """Produce a generated stream."""
        plan = generator.Plan.ending_at(
            time.time_ns() // 1_000_000, count=count, seed=seed, schema_id=self.schema_id, mix=mix
        )
        return generator.generate(plan, generator.Target(self.broker.bootstrap_servers, self.topic))

    def kill(self, consumer: ConsumerProcess) -> None:
        """SIGKILL, remembered for the checker."""
        self.kills_ms.append(consumer.kill())

    def watch(self) -> CommitWatch:
        """Look at the committed offsets from now on, until the end of the `with`."""
        return CommitWatch(self.broker.bootstrap_servers, self.group, self.topic)

    @property
    def committed(self) -> dict[int, int]:
        """What the group has committed, by partition."""
        return committed_offsets(self.broker.bootstrap_servers, self.group, self.topic)

    def wait_for_the_end(self, watch: CommitWatch, timeout_s: float) -> None:
        """Until the group has committed all that is on the topic now."""
        ends = {partition: end for partition, end in self.broker.end_offsets(self.topic).items() if end > 0}
        self.wait_until(
            lambda: all(watch.standing.get(partition) == end for partition, end in ends.items()),
            timeout_s,
            lambda: f"committed {watch.standing} of {ends}",
        )

    def wait_until(
        self, reached: Callable[[], bool], timeout_s: float, describe: Callable[[], str] = lambda: ""
    ) -> None:
        """Wait. Raises `TimeoutError`, or `RuntimeError` when the last of the consumers has ended."""

        def look() -> bool:
            if reached():
                return True
            if not any(one.running for one in self._processes):
                raise RuntimeError(f"no consumer runs any more: {self.tails()}")
            return False

        wait_until(look, timeout_s, lambda: f"{describe()}; {self.tails()}")

    def accepted(self, destination: str = CLIENT) -> list[LedgerItem]:
        """What a destination's receiver accepted, in its order."""
        return list(self.receiver.remote.items(_APIS[destination]))

    def accepted_ids(self, destination: str = CLIENT) -> list[str | None]:
        """Their event ids."""
        return [item.event_id for item in self.accepted(destination)]

    def read_letters(self) -> list[StoredRecord]:
        return self.broker.read(self.letters)

    def check(self, watch: CommitWatch, disturbances: Sequence[Disturbance] = ()) -> Report:
        """Hold everything that can be seen from outside against the checker, after the end. `disturbances`: what
        was done beside the kills."""
        evidence = Evidence(
            records=self.broker.read(self.topic),
            schemas={self.schema_id: self.schema},
            accepted={name: self.accepted(name) for name in (USER_ANALYTICS, CLIENT)},
            letters=[letter_of(stored) for stored in self.read_letters()],
            commits=read_commits(self.broker.bootstrap_servers, self.group, self.topic),
            seen=watch.commits,
            ends=self.broker.end_offsets(self.topic),
            kills_ms=self.kills_ms,
            disturbances=disturbances,
        )
        return check(evidence, on_the_wire())

    def close(self) -> None:
        for consumer in self._processes:
            consumer.close()

    def _properties(self, name: str, *, classic: bool) -> Path:
        """Short sessions: a killed member's partitions soon go to others (KIP-848: the broker's)."""
        properties = self.folder / f"{name}.properties"
        properties.write_text("session.timeout.ms=6000\n" if classic else "")
        return properties

    def _shipped(self) -> Path:
        if self._unchanged is None:
            self._unchanged = self.topology()
        return self._unchanged

    def tails(self) -> str:
        """How each consumer is, and the end of what it logged."""
        return "".join(f"\n{one}{one.tail()}" for one in self._processes)
