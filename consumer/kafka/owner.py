"""The one thread that touches the Kafka consumer.

Everyone else puts commands into its queue. It hands chunks to the event loop and, when partitions leave,
waits for the loop's drain; the loop never waits for it, so the two cannot wait in a circle.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message
from confluent_kafka import TopicPartition as KafkaPartition

from consumer.errors import BrokerError, FaultError
from consumer.kafka.arrival import Arrival
from consumer.kafka.bridge import Bridge
from consumer.kafka.client_errors import ClientErrors
from consumer.kafka.closing import close
from consumer.kafka.commits import Commits
from consumer.kafka.config import KafkaPolicy
from consumer.kafka.gaps import cross_gap
from consumer.kafka.gather import gather
from consumer.kafka.incarnations import Incarnations, admin_of
from consumer.kafka.insist import StopAsked
from consumer.kafka.listener import Listener
from consumer.kafka.polled import Stretch, event_partition, split
from consumer.kafka.positions import committed_offsets, known_ends
from consumer.kafka.resting import Resting
from consumer.kafka.starting import Starts, TopicPolicy
from consumer.kafka.trouble import Trouble, trouble, unusable
from consumer.types import Chunk, TopicPartition

CLIENT_LOG = logging.getLogger("consumer.kafka.client")
"""What the client itself has to say; what matters of it comes as an event as well."""
LAG_INTERVAL_S = 1.0


class Owner:
    """Runs the consumer in a thread of its own from `start` to `Listener.ended`."""

    def __init__(
        self,
        config: Mapping[str, Any],
        topics: Mapping[str, TopicPolicy],
        policy: KafkaPolicy,
        bridge: Bridge,
        listener: Listener,
        *,
        until_end: bool = False,
    ) -> None:
        self._errors = ClientErrors(bridge, listener, config)
        self._commits = Commits(bridge, listener, self._errors.on_error)
        self._stopping = threading.Event()
        self._starting = Starts(topics, bridge, listener, policy.call_timeout_s, self._stopping)
        self._config = {**config, "on_commit": self._commits.on_commit, "error_cb": self._errors.on_error}
        self._topics = topics
        self._policy = policy
        self._bridge = bridge
        self._listener = listener
        self._until_end = until_end
        self._commands: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="kafka-owner", daemon=True)
        self._room = threading.Event()
        self._resting = Resting()
        self._handed = 0
        self._handed_by: dict[TopicPartition, int] = {}
        self._taken = 0
        self._epochs: dict[TopicPartition, int] = {}
        self._next: dict[TopicPartition, int] = {}
        self._chosen: dict[TopicPartition, int] = {}
        self._told_at_s = 0.0
        self.turned_at_s = time.monotonic()
        """When the thread last turned; liveness looks at it."""

    @property
    def turns(self) -> bool:
        """Whether the thread should be turning: it was started, and is not about to end."""
        return self._thread.is_alive() and not self._stopping.is_set()

    # --- for the event loop: none of these waits ---

    def start(self) -> None:
        """Start the thread; the first assignment follows."""
        self._thread.start()

    def stop(self) -> None:
        """Drain, commit, leave the group and end the thread; at once where it has not joined yet. Idempotent."""
        self._stopping.set()
        self._room.set()

    def rest(self, topics: frozenset[str]) -> None:
        """Hand on nothing of these topics, and again of all others; polling goes on."""
        self._commands.put(partial(self._rest, topics))
        self._room.set()

    def commit(self, offsets: Mapping[TopicPartition, tuple[int, int]]) -> None:
        """Commit (epoch, offset) a partition; what belongs to an assignment that ended is left out."""
        self._commands.put(partial(self._commit, offsets))

    def look_elsewhere(self, partitions: list[TopicPartition]) -> None:
        """Ask the broker for the group's committed offsets; `Listener.elsewhere` gets the answer."""
        self._commands.put(partial(self._look_elsewhere, partitions))

    def reclaim(self, partition: TopicPartition, epoch: int) -> None:
        """Begin anew with a partition that the ledger fenced, if Kafka still says that it is ours."""
        self._commands.put(partial(self._reclaim, partition, epoch))

    def use_credentials(self, username: str, password: str) -> None:
        """SASL's, for the connections that are made from now on."""
        self._commands.put(lambda: self._client.set_sasl_credentials(username, password))
        self._room.set()

    def took(self, count: int) -> None:
        """So many records that were handed on have been taken in."""
        self._taken += count
        self._room.set()

    # --- the thread ---

    def _run(self) -> None:
        fault: BaseException | None = None
        client: Consumer | None = None
        try:
            client = self._client = self._connect()
            with suppress(StopAsked):
                self._join_group()
                while not self._stopping.is_set():
                    self._turn()
            self._leave(list(self._epochs), at_a_stop=True)
        except (KafkaException, RuntimeError) as error:
            fault = self._errors.end_of(error)
        except BaseException as error:
            fault = error
        finally:
            # Whatever comes out of it, the loop must hear of the end: it would wait for ever.
            unclosed = close(client, partial(self._bridge.post, self._listener.noticed))
            self._bridge.post(self._listener.ended, fault or unclosed)

    def _connect(self) -> Consumer:
        try:
            return Consumer(self._config, logger=CLIENT_LOG)
        except KafkaException as error:
            raise unusable(error) from None

    def _join_group(self) -> None:
        arrival = Arrival(
            self._client,
            str(self._config.get("bootstrap.servers", "")),
            self._policy.join_timeout_s,
            self._stopping,
            partial(self._bridge.post, self._listener.noticed),
            self._errors.heard,
        )
        topics = arrival.find(self._topics)
        if self._until_end:
            self._bridge.post(self._listener.goal, arrival.ends(topics))
        self._errors.arrived = True
        self._incarnations = Incarnations(self._topics, admin_of(self._config))
        self._client.subscribe(
            list(self._topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def _turn(self) -> None:
        self._obey()
        self.turned_at_s = time.monotonic()
        if self._handed - self._taken > self._policy.chunks_ahead * self._policy.chunk_records:
            # The loop is behind; the bound on what is unsettled works only on what it has taken in.
            self._room.clear()
            self._room.wait(0.05)
            return
        if self._resting.is_young(self._client, self._epochs):
            self._room.clear()
            if self._commands.empty():
                self._room.wait(0.05)
            return
        messages = gather(self._client, self._policy, self._epochs, self._is_busy)
        self._errors.raise_final()
        if self._chosen:
            # Before the first record is handed on: else a crash before the first commit would choose anew, and it
            # could not be told from a commit that is gone because its topic was created anew.
            chosen, self._chosen = self._chosen, {}
            if not self._commits.insist(self._client, chosen, self._policy.call_timeout_s, self._stopping):
                self._forget(chosen)
        for part in split(messages):
            if isinstance(part, Stretch):
                self._hand_on(part)
            else:
                self._on_event(part)
        if self.turned_at_s - self._told_at_s > LAG_INTERVAL_S:
            self._told_at_s = self.turned_at_s
            self._tell_lag()
            self._incarnations.look(self.turned_at_s)

    def _is_busy(self) -> bool:
        """Whether the loop has yet to take in what was handed on last."""
        return self._handed > self._taken

    def _obey(self) -> None:
        while True:
            try:
                command = self._commands.get_nowait()
            except Empty:
                return
            command()

    def _hand_on(self, stretch: Stretch) -> None:
        chunks: list[Chunk] = []
        count = 0
        for (topic, number), records in stretch.runs.items():
            partition = TopicPartition(topic, number)
            epoch = self._epochs.get(partition)
            if epoch is None:
                continue
            self._next[partition] = records[-1].offset + 1
            self._handed_by[partition] += len(records)
            chunks.append(Chunk(partition, epoch, records))
            count += len(records)
        if chunks:
            self._handed += count
            self._bridge.post(self._listener.records, chunks, count)
        ends = {place: offset for place, offset in stretch.ends.items() if place in self._epochs}
        if ends:
            self._bridge.post(self._listener.ends_of_partitions, ends)

    def _on_event(self, message: Message) -> None:
        error = message.error()
        assert error is not None, "only events come here"
        partition = event_partition(message)
        match trouble(error):
            case Trouble.END_OF_PARTITION:
                pass  # It does not say where: the next one will.
            case Trouble.GAP:
                on_gap = self._topics[partition.topic].on_gap
                timeout_s = self._policy.call_timeout_s
                text = cross_gap(self._client, partition, self._next.get(partition), on_gap, timeout_s)
                if partition.topic in self._resting.topics:
                    # The position was set by assigning anew, which forgets the pause.
                    self._client.pause([KafkaPartition(partition.topic, partition.partition)])
                self._bridge.post(self._listener.noticed, text)
            case Trouble.FATAL:
                raise BrokerError(f"Kafka: {error.str()}")
            case Trouble.PASSING:
                self._bridge.post(self._listener.noticed, f"{partition}: {error.str()}")

    # --- callbacks: they run inside of consume ---

    def _on_assign(self, client: Consumer, partitions: list[KafkaPartition]) -> None:
        mine = [TopicPartition(one.topic, one.partition) for one in partitions]
        starting = self._starting.find(client, mine) if mine else {}
        positions = {partition: (one.epoch, one.offset) for partition, one in starting.items()}
        self._bridge.ask(self._listener.begin(positions), self._policy.call_timeout_s)
        if not mine:
            return
        client.incremental_assign(
            [KafkaPartition(p.topic, p.partition, at) for p, (_, at) in positions.items()]
        )
        for partition, one in starting.items():
            self._epochs[partition] = one.epoch
            self._next[partition] = one.offset
            self._handed_by[partition] = 0
            if one.chosen:
                self._chosen[partition] = one.offset
        self._resting.take_up(client, self._epochs, partitions)

    def _on_revoke(self, client: Consumer, partitions: list[KafkaPartition]) -> None:
        self._leave([TopicPartition(one.topic, one.partition) for one in partitions])

    def _on_lost(self, client: Consumer, partitions: list[KafkaPartition]) -> None:
        mine = [TopicPartition(one.topic, one.partition) for one in partitions]
        self._forget(mine)
        self._bridge.post(self._listener.lost, mine)

    def _leave(self, partitions: list[TopicPartition], *, at_a_stop: bool = False) -> None:
        """Drain and commit what leaves. A drain without an answer commits nothing: it comes again elsewhere."""
        mine = [one for one in partitions if one in self._epochs]
        if not mine:
            return
        deadline_s = self._policy.drain_timeout_s
        try:
            offsets = self._bridge.ask(self._listener.drain(mine, deadline_s), deadline_s + 5.0)
        except FaultError as error:
            self._bridge.post(self._listener.noticed, f"the drain did not finish: {error}")
        else:
            if at_a_stop and not self._commits.hear(self._client, self._policy.hear_s):
                text = (
                    "no last commit: the one before it has no answer yet; what it does not hold is read again"
                )
                self._bridge.post(self._listener.noticed, text)
            else:
                # A rebalance may have come meanwhile, and had the last word on some.
                self._commits.wait(self._client, {p: at for p, at in offsets.items() if p in self._epochs})
        self._forget(mine)

    def _forget(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self._epochs.pop(partition, None)
            self._next.pop(partition, None)
            self._handed_by.pop(partition, None)
            self._chosen.pop(partition, None)

    # --- commands ---

    def _rest(self, topics: frozenset[str]) -> None:
        self._resting.begin(self._client, self._epochs, topics)

    def _commit(self, offsets: Mapping[TopicPartition, tuple[int, int]]) -> None:
        live = {p: offset for p, (epoch, offset) in offsets.items() if self._epochs.get(p) == epoch}
        if live:
            self._commits.start(self._client, live)

    def _reclaim(self, partition: TopicPartition, epoch: int) -> None:
        # A member that woke late may have claimed what is ours since: without this, nobody would read it any
        # more.
        if self._epochs.get(partition) != epoch:
            return
        self._forget([partition])
        one = KafkaPartition(partition.topic, partition.partition)
        self._client.incremental_unassign([one])
        self._on_assign(self._client, [one])

    def _look_elsewhere(self, partitions: list[TopicPartition]) -> None:
        try:
            known = committed_offsets(self._client, partitions, self._policy.call_timeout_s)
        except KafkaException as error:
            self._bridge.post(self._listener.noticed, f"asking for committed offsets: {error}")
        else:
            self._bridge.post(self._listener.elsewhere, known)

    def _tell_lag(self) -> None:
        self._bridge.post(self._listener.lag, known_ends(self._client, self._epochs))
        counts = {partition: (epoch, self._handed_by[partition]) for partition, epoch in self._epochs.items()}
        self._bridge.post(self._listener.handed, counts)
