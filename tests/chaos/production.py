"""A steady stream of generated events, produced beside everything else; and floods of duplicates out of it."""

import threading
import time
from collections import deque
from random import Random
from typing import Any

from confluent_kafka import KafkaError, Producer

from consumer.sandbox.generator import Emission, Plan, Stream, user_event_schema

_REMEMBERED = 5_000
_FINISH_S = 150.0


class Production:
    """A thread that produces `rate` records a second until the plan, or `stop`, ends it."""

    def __init__(self, bootstrap_servers: str, topic: str, plan: Plan, rate: float) -> None:
        self._topic = topic
        self._plan = plan
        self._rate = rate
        self._random = Random(plan.seed)
        self._recent: deque[Emission] = deque(maxlen=_REMEMBERED)
        self._flood = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="production", daemon=True)
        self.acknowledged = 0
        self.errors: list[str] = []
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                # As Java's producers place keys, so that one user is on one partition whoever produces.
                "partitioner": "murmur2_random",
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 10,
                "message.timeout.ms": 120_000,
                "log_level": 0,
                "error_cb": lambda _: None,
            }
        )

    def start(self) -> None:
        self._thread.start()

    def flood(self, count: int) -> None:
        """Produce so many of what was produced lately again, as fast as it goes."""
        self._flood += count

    def stop(self) -> None:
        """End, and wait until all that was handed over is acknowledged or refused."""
        self._stopping.set()
        self._thread.join()
        unsent = self._producer.flush(_FINISH_S)
        if unsent:
            self.errors.append(f"{unsent} records were not acknowledged in {_FINISH_S:.0f} s")

    def _run(self) -> None:
        started_s = time.monotonic()
        for count, emission in enumerate(Stream(self._plan, user_event_schema())):
            while (ahead_s := started_s + count / self._rate - time.monotonic()) > 0:
                self._producer.poll(min(ahead_s, 0.1))
                if self._stopping.is_set():
                    return
            self._produce(emission)
            if emission.kind.is_event:
                self._recent.append(emission)
            flood, self._flood = self._flood, 0
            for again in self._random.choices(self._recent, k=flood) if self._recent else ():
                self._produce(again)

    def _produce(self, one: Emission) -> None:
        while not self._stopping.is_set():
            try:
                self._producer.produce(
                    self._topic,
                    key=one.key,
                    value=one.value,
                    headers=one.headers,
                    on_delivery=self._delivered,
                )
                return
            except BufferError:
                self._producer.poll(0.1)

    def _delivered(self, error: KafkaError | None, _message: Any) -> None:
        if error is None:
            self.acknowledged += 1
        else:
            self.errors.append(error.name())
