"""librdkafka's options for our consumer and our producer: which are the user's, and which are ours."""

from collections.abc import Mapping

import msgspec

from consumer.errors import UsageError
from consumer.kafka.properties import CONSUMER_ONLY, PRODUCER_ONLY, milliseconds, theirs


class KafkaPolicy(msgspec.Struct, frozen=True):
    """How the group is joined and polled. Times in seconds."""

    group: str
    instance_id: str | None = None
    protocol: str = "classic"
    """`classic` (cooperative-sticky, optional static id) or `consumer` (KIP-848, dynamic members)."""
    chunk_records: int = 125
    """While a chunk is taken in, the loop does nothing else: answers wait, and permits idle."""
    poll_timeout_s: float = 0.1
    gather_s: float = 0.005
    """How long a chunk that has its first record waits for more."""
    gather_longest_s: float = 0.02
    """How long, while the event loop has yet to take in the one before."""
    session_timeout_s: float = 45.0
    max_poll_interval_s: float = 300.0
    """Where KAFKA_PROPERTIES has no max.poll.interval.ms."""
    drain_timeout_s: float = 25.0
    """How long a revoke or a stop waits for what is on the wire; `consumer_config` holds it below the poll
    interval."""
    join_timeout_s: float = 20.0
    """How long the first answer of a broker is waited for before the process gives up."""
    call_timeout_s: float = 20.0
    """The bound of one question to the broker or the ledger during an assignment."""
    hear_s: float = 5.0
    """How long the last commit at a stop waits for the answer to the one before it."""
    chunks_ahead: int = 4
    """How many chunks may wait for the event loop before polling rests."""


_READ_AHEAD = {
    "queued.min.messages": 20_000,
    "queued.max.messages.kbytes": 16_384,
    "fetch.queue.backoff.ms": 200,
    "fetch.message.max.bytes": 256 * 1024,
    "fetch.max.bytes": 4 * 1024 * 1024,
}
"""About a second's worth. A message that librdkafka holds costs hundreds of bytes beside its own, and what came with
one fetch is kept until the last of it is consumed. A batch that is larger than a fetch is given all the same.

Once there is so much, nothing is fetched for a while: by librdkafka's default for a second, in which no more than this
can be read."""
_GATHER_AT_BROKER = {
    "fetch.min.bytes": 64 * 1024,
    "fetch.wait.max.ms": 10,
}
"""The broker answers once there is so much, or after so long. With librdkafka's one byte each record of a steady stream
is answered at once, and the next one asked for."""
_DRAIN_MARGIN_S = 10.0
"""What a revoke takes beside its drain: the ledger's last word, the commit."""


def consumer_config(
    bootstrap_servers: str, properties: Mapping[str, str], policy: KafkaPolicy
) -> dict[str, object]:
    """The consumer's options: the user's properties, and ours above them.

    Raises UsageError where a property is ours to set, saying what to use instead, and where the drain would last
    longer than the group waits for us.
    """
    options = theirs(properties)
    poll_interval_ms = milliseconds(options, "max.poll.interval.ms", int(policy.max_poll_interval_s * 1000))
    if poll_interval_ms < (policy.drain_timeout_s + _DRAIN_MARGIN_S) * 1000:
        raise UsageError(
            f"--drain-timeout is {policy.drain_timeout_s:g} s and must stay {_DRAIN_MARGIN_S:g} s below "
            f"max.poll.interval.ms, which is {poll_interval_ms / 1000:g} s: else the group gives our partitions away "
            "during a drain. Shorten it, or raise max.poll.interval.ms in KAFKA_PROPERTIES"
        )
    config: dict[str, object] = {
        **_READ_AHEAD,
        **_GATHER_AT_BROKER,
        "client.id": "distinct-consumer",
        **{name: value for name, value in options.items() if name not in PRODUCER_ONLY},
        "bootstrap.servers": bootstrap_servers,
        "group.id": policy.group,
        "enable.auto.commit": False,
        # What is stored is what is settled; librdkafka must not store what it merely handed on.
        "enable.auto.offset.store": False,
        # "earliest" would skip silently what retention deleted: an error lets `on_gap` decide.
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "max.poll.interval.ms": poll_interval_ms,
        "group.protocol": policy.protocol,
    }
    if policy.protocol == "classic":
        config["partition.assignment.strategy"] = "cooperative-sticky"
        # librdkafka refuses a session that is longer than the poll interval.
        session_ms = min(int(policy.session_timeout_s * 1000), poll_interval_ms)
        config.setdefault("session.timeout.ms", session_ms)
        if policy.instance_id:
            config["group.instance.id"] = policy.instance_id
    elif policy.instance_id:
        raise UsageError("--instance-id: static members need --group-protocol classic")
    return config


def producer_config(bootstrap_servers: str, properties: Mapping[str, str]) -> dict[str, object]:
    """The dead letters' producer: acknowledged by all in-sync replicas, no duplicates of its own making.

    Raises UsageError as `consumer_config`.
    """
    options = {name: value for name, value in theirs(properties).items() if name not in CONSUMER_ONLY}
    if "delivery.timeout.ms" not in options:  # The same by its other name.
        options.setdefault("message.timeout.ms", "30000")
    if "queue.buffering.max.ms" not in options:
        options.setdefault("linger.ms", "5")
    return {
        "client.id": "distinct-consumer-dead-letters",
        **options,
        "bootstrap.servers": bootstrap_servers,
        "acks": "all",
        "enable.idempotence": True,
        # The topic's limit decides what is too large, not the client's default below it.
        "message.max.bytes": 20_000_000,
    }
