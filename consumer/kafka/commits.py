"""Commits, as the owner thread makes them: guarded by the client's own knowledge of the assignment."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from consumer.kafka.bridge import Bridge
from consumer.kafka.insist import insist
from consumer.kafka.listener import Listener
from consumer.kafka.trouble import Trouble, trouble
from consumer.types import TopicPartition

_LEFT = frozenset(
    {
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.FENCED_MEMBER_EPOCH,
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._STATE,
    }
)
"""The group went on without us: what we had is lost, and comes anew with an assignment."""

_LISTEN_S = 0.05


class _NotOurs(Exception):
    pass


class Commits:
    """Stores offsets and commits what is stored: the client then refuses what is not assigned to us any more,
    where a commit of given offsets would overwrite another member's. Used by the owner thread only.
    """

    def __init__(self, bridge: Bridge, listener: Listener, on_final: Callable[[KafkaError], None]) -> None:
        """`on_final` hears of an error that no later commit can be without."""
        self._bridge = bridge
        self._listener = listener
        self._on_final = on_final
        self._under_way = False

    def start(self, client: Consumer, offsets: Mapping[TopicPartition, int]) -> None:
        """Ask for a commit; `on_commit` hears of it. Does not wait, and asks for nothing while one is under way: of
        two, the client may send the older again after the newer was taken, as when a broker restarts, and the
        committed offset would go back. Whoever asks asks again.
        """
        if self._under_way or not self._store(client, offsets):
            return
        client.commit(asynchronous=True)
        self._under_way = True

    def hear(self, client: Consumer, within_s: float) -> bool:
        """Wait for the answer to what `start` asked for, before the last commit; whether there is none to come.

        The client may send the older one again behind the last, and the committed offset would go back. Blocks; not
        for the client's callbacks. Records that come are left out: none was handed on.
        """
        deadline_s = time.monotonic() + within_s
        with suppress(KafkaException):
            while self._under_way and time.monotonic() < deadline_s:
                client.consume(1, _LISTEN_S)
        return not self._under_way

    def wait(self, client: Consumer, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit and wait. A failure is told and counted: those records come again, none is lost."""
        if not self._store(client, offsets):
            return
        try:
            answer = client.commit(asynchronous=False) or []
        except KafkaException as error:
            cause = error.args[0]
            if isinstance(cause, KafkaError) and cause.code() == KafkaError._NO_OFFSET:
                return
            if isinstance(cause, KafkaError):
                self._look_at(cause)
            reason = cause.name() if isinstance(cause, KafkaError) else str(cause)
            self._bridge.post(self._listener.committed, {}, dict.fromkeys(offsets, reason))
        else:
            self._tell(None, answer)

    def insist(
        self,
        client: Consumer,
        offsets: Mapping[TopicPartition, int],
        timeout_s: float,
        stopping: threading.Event,
    ) -> bool:
        """Commit, and come back when the broker has taken it; False where the partitions are not ours any more.

        Raises BrokerError where it does not within the bound, or never will, and StopAsked.
        """
        try:
            insist(partial(self._commit_all, client, offsets), timeout_s, stopping)
        except _NotOurs:
            return False
        self._bridge.post(self._listener.committed, dict(offsets), {})
        return True

    def _commit_all(self, client: Consumer, offsets: Mapping[TopicPartition, int], _: float) -> None:
        try:
            client.store_offsets(offsets=_of(offsets))
            for one in client.commit(asynchronous=False) or []:
                if one.error is not None:
                    raise KafkaException(one.error)
        except KafkaException as error:
            code = error.args[0].code() if isinstance(error.args[0], KafkaError) else None
            if code in _LEFT:
                raise _NotOurs from None
            if code != KafkaError._NO_OFFSET:
                raise

    def on_commit(self, error: KafkaError | None, partitions: list[KafkaPartition]) -> None:
        """The client's callback for what `start` asked for; it comes for a failure too."""
        self._under_way = False
        self._tell(error, partitions)

    def _tell(self, error: KafkaError | None, partitions: list[KafkaPartition]) -> None:
        """Tell the listener, partition by partition."""
        done: dict[TopicPartition, int] = {}
        failed: dict[TopicPartition, str] = {}
        for one in partitions:
            partition = TopicPartition(one.topic, one.partition)
            cause = one.error or error
            if cause is not None:
                self._look_at(cause)
                failed[partition] = cause.name()
            elif one.offset >= 0:
                done[partition] = one.offset
        self._bridge.post(self._listener.committed, done, failed)

    def _look_at(self, cause: KafkaError) -> None:
        if trouble(cause) is Trouble.FATAL:
            # Without this a process that may not commit would deliver on for ever, and all of it again one day.
            self._on_final(cause)

    def _store(self, client: Consumer, offsets: Mapping[TopicPartition, int]) -> bool:
        try:
            client.store_offsets(offsets=_of(offsets))
        except KafkaException as error:
            self._bridge.post(self._listener.noticed, f"offsets not stored: {error}")
            return False
        return bool(offsets)


def _of(offsets: Mapping[TopicPartition, int]) -> list[KafkaPartition]:
    return [KafkaPartition(p.topic, p.partition, at) for p, at in offsets.items()]
