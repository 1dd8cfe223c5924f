"""librdkafka's options for our consumer and our producer: which are the user's, and which are ours."""

from collections.abc import Mapping

import msgspec

from consumer.errors import UsageError


class KafkaPolicy(msgspec.Struct, frozen=True):
    """How the group is joined and polled. Times in seconds."""

    group: str
    instance_id: str | None = None
    protocol: str = "classic"
    """`classic` (cooperative-sticky, optional static id) or `consumer` (KIP-848, dynamic members)."""
    chunk_records: int = 500
    poll_timeout_s: float = 0.1
    session_timeout_s: float = 45.0
    max_poll_interval_s: float = 300.0
    drain_timeout_s: float = 25.0
    """How long a revoke or a stop waits for what is on the wire; below the poll interval."""
    join_timeout_s: float = 20.0
    """How long the first answer of a broker is waited for before the process gives up."""
    call_timeout_s: float = 20.0
    """The bound of one question to the broker or the ledger during an assignment."""
    chunks_ahead: int = 4
    """How many chunks may wait for the event loop before polling rests."""


_OURS = {
    "group.id": "CONSUMER_GROUP",
    "group.instance.id": "--instance-id",
    "group.protocol": "--group-protocol",
    "enable.auto.commit": "offsets are committed after the acknowledgement only",
    "enable.auto.offset.store": "offsets are stored after the acknowledgement only",
    "auto.offset.reset": "the topology's `start` and `on_gap`",
    "partition.assignment.strategy": "--group-protocol",
    "enable.partition.eof": "always on",
}


def consumer_config(
    bootstrap_servers: str, properties: Mapping[str, str], policy: KafkaPolicy
) -> dict[str, object]:
    """The consumer's options: the user's properties, and ours above them.

    Raises UsageError where a property is ours to set, naming what to use instead.
    """
    for name, instead in _OURS.items():
        if name in properties:
            raise UsageError(f"KAFKA_PROPERTIES: {name} cannot be set there: use {instead}")
    config: dict[str, object] = {
        "queued.max.messages.kbytes": 16_384,
        "fetch.wait.max.ms": 100,
        "client.id": "distinct-consumer",
        **properties,
        "bootstrap.servers": bootstrap_servers,
        "group.id": policy.group,
        "enable.auto.commit": False,
        # What is stored is what is settled; librdkafka must not store what it merely handed on.
        "enable.auto.offset.store": False,
        # "earliest" would skip silently what retention deleted: an error lets `on_gap` decide.
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "max.poll.interval.ms": int(policy.max_poll_interval_s * 1000),
        "group.protocol": policy.protocol,
    }
    if policy.protocol == "classic":
        config["partition.assignment.strategy"] = "cooperative-sticky"
        config.setdefault("session.timeout.ms", int(policy.session_timeout_s * 1000))
        if policy.instance_id:
            config["group.instance.id"] = policy.instance_id
    elif policy.instance_id:
        raise UsageError("--instance-id: static members need --group-protocol classic")
    return config


def producer_config(bootstrap_servers: str, properties: Mapping[str, str]) -> dict[str, object]:
    """The dead letters' producer: acknowledged by all in-sync replicas, no duplicates of its own making."""
    return {
        "client.id": "distinct-consumer-dead-letters",
        "linger.ms": 5,
        **{name: value for name, value in properties.items() if not name.startswith(("fetch.", "queued."))},
        "bootstrap.servers": bootstrap_servers,
        "acks": "all",
        "enable.idempotence": True,
        "message.timeout.ms": 30_000,
        # The topic's limit decides what is too large, not the client's default below it.
        "message.max.bytes": 20_000_000,
    }
