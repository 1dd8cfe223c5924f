"""Writes letters to a topic, each acknowledged by all in-sync replicas before it counts."""

import asyncio
import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from consumer.kafka.trouble import unusable
from consumer.types import Headers


class Letter(msgspec.Struct, frozen=True):
    """One message to write."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


class Written(msgspec.Struct, frozen=True):
    """Acknowledged."""


class TooLarge(msgspec.Struct, frozen=True):
    """The topic refuses a message of this size."""


class Unwritten(msgspec.Struct, frozen=True):
    """Not acknowledged in time; it may still have been written."""

    reason: str


Outcome = Written | TooLarge | Unwritten

_NO_TOPIC = "the topic does not exist: `topology apply` creates it"
_WHY = {
    KafkaError.UNKNOWN_TOPIC_OR_PART: _NO_TOPIC,
    KafkaError._UNKNOWN_TOPIC: _NO_TOPIC,
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "there is no permission to write to it",
    KafkaError.NOT_ENOUGH_REPLICAS: "too few of its replicas are in sync",
    KafkaError._MSG_TIMED_OUT: "no broker has acknowledged in time",
}


class LetterWriter:
    """A producer and the thread that serves its delivery reports. Used from one event loop."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = dict(config)
        self._fatal: str | None = None
        self._asked_again = False
        self._producer = self._connect()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="letters", daemon=True)
        self._thread.start()

    def use_credentials(self, username: str, password: str) -> None:
        """SASL's, for the connections that are made from now on."""
        self._config |= {"sasl.username": username, "sasl.password": password}
        self._producer.set_sasl_credentials(username, password)

    async def write(self, letters: Sequence[Letter]) -> list[Outcome]:
        """Write all; gives each one's outcome in order. Does not raise for the broker's refusals."""
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*(self._write(loop, one) for one in letters))

    async def _write(self, loop: asyncio.AbstractEventLoop, letter: Letter) -> Outcome:
        if self._fatal is not None:
            self._asked_again = True
            return Unwritten(self._fatal)
        future: asyncio.Future[Outcome] = loop.create_future()

        def report(error: KafkaError | None, _: Message) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_resolve, future, outcome_of(error))

        try:
            self._producer.produce(
                letter.topic,
                key=letter.key,
                value=letter.value,
                headers=list(letter.headers),
                on_delivery=report,
            )
        except BufferError:
            return Unwritten("the producer's queue is full")
        except KafkaException as error:
            return outcome_of(error.args[0])
        return await future

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                self._producer.poll(0.1)
            except KafkaException as error:
                # A fatal error (no permission to write, most often): the client takes nothing any more. If it ended
                # this thread, no letter would be heard of again, and nobody told.
                self._fatal = _reason(error.args[0])
            if self._asked_again:
                self._begin_anew()

    def _connect(self) -> Producer:
        try:
            return Producer(self._config, logger=logging.getLogger("consumer.kafka.client"))
        except KafkaException as error:
            raise unusable(error) from None

    def _begin_anew(self) -> None:
        """Another client in place of the one that failed for good: what a person mends must not need a restart."""
        with suppress(KafkaException):
            self._producer.purge()
            self._producer.flush(1.0)
        self._asked_again = False
        self._producer, self._fatal = self._connect(), None

    def close(self, timeout_s: float) -> None:
        """End the thread, within the bound. Nobody waits for a letter any more: what is not written yet is dropped,
        so that a topic that takes nothing cannot hold up the end. Blocks."""
        self._stopping.set()
        # The thread first: a fatal error is raised out of whichever call serves it, so only one may.
        self._thread.join(timeout_s)
        with suppress(KafkaException):
            self._producer.purge()
            self._producer.flush(timeout_s)


def outcome_of(error: KafkaError | None) -> Outcome:
    """What became of a letter, from its delivery report."""
    if error is None:
        return Written()
    if error.code() in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE):
        return TooLarge()
    return Unwritten(_reason(error))


def _reason(error: KafkaError) -> str:
    why = _WHY.get(error.code())
    return error.name() if why is None else f"{why} ({error.name()})"


def _resolve(future: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
