"""Which of librdkafka's options in KAFKA_PROPERTIES are ours to set, and which concern one of our two clients only."""

from collections.abc import Mapping

from consumer.errors import UsageError

CONSUMER_ONLY = frozenset(
    {
        "auto.commit.interval.ms",
        "check.crcs",
        "coordinator.query.interval.ms",
        "fetch.error.backoff.ms",
        "fetch.max.bytes",
        "fetch.message.max.bytes",
        "fetch.min.bytes",
        "fetch.queue.backoff.ms",
        "fetch.wait.max.ms",
        "group.protocol.type",
        "group.remote.assignor",
        "heartbeat.interval.ms",
        "isolation.level",
        "max.partition.fetch.bytes",
        "max.poll.interval.ms",
        "queued.max.messages.kbytes",
        "queued.min.messages",
        "session.timeout.ms",
    }
)
"""What librdkafka's CONFIGURATION.md marks C: a producer warns of each."""

PRODUCER_ONLY = frozenset(
    {
        "batch.num.messages",
        "batch.size",
        "compression.codec",
        "compression.level",
        "compression.type",
        "delivery.timeout.ms",
        "linger.ms",
        "message.send.max.retries",
        "message.timeout.ms",
        "partitioner",
        "queue.buffering.backpressure.threshold",
        "queue.buffering.max.kbytes",
        "queue.buffering.max.messages",
        "queue.buffering.max.ms",
        "queuing.strategy",
        "request.timeout.ms",
        "retries",
        "sticky.partitioning.linger.ms",
        "transaction.timeout.ms",
    }
)
"""What it marks P: a consumer warns of each."""

_COMMITS = "offsets are committed after the acknowledgement only"
_LETTERS = "a dead letter counts when all in-sync replicas have it"
_OURS: dict[str, tuple[str, frozenset[str]]] = {
    "group.id": ("use CONSUMER_GROUP", frozenset()),
    "group.instance.id": ("use --instance-id", frozenset()),
    "group.protocol": ("use --group-protocol", frozenset()),
    "partition.assignment.strategy": ("use --group-protocol", frozenset()),
    "auto.offset.reset": ("use the topology's `start` and `on_gap`", frozenset()),
    "enable.auto.commit": (_COMMITS, frozenset({"false"})),
    "auto.commit.enable": (_COMMITS, frozenset({"false"})),
    "enable.auto.offset.store": (_COMMITS, frozenset({"false"})),
    "offset.store.method": (_COMMITS, frozenset({"broker"})),
    "enable.partition.eof": ("it is always on", frozenset({"true"})),
    "acks": (_LETTERS, frozenset({"all", "-1"})),
    "request.required.acks": (_LETTERS, frozenset({"all", "-1"})),
    "enable.idempotence": (_LETTERS, frozenset({"true"})),
    "delivery.report.only.error": (_LETTERS, frozenset({"false"})),
    "transactional.id": ("dead letters are written without transactions", frozenset()),
    "message.max.bytes": ("the dead-letter topic's max.message.bytes says what is too large", frozenset()),
}
"""What is ours, with the reason or what to use instead, and the values that say what we do anyway."""


def reserved(name: str, value: str) -> str | None:
    """Why an option cannot have this value: what to use instead; None where it may. Overriding it silently would leave
    an operator believing that it holds."""
    instead, same = _OURS.get(name, ("", frozenset({value})))
    return None if value.lower() in same or value in same else instead


def theirs(properties: Mapping[str, str]) -> dict[str, str]:
    """The properties without those that merely say what is so anyway. Raises UsageError where one is `reserved`."""
    for name, value in properties.items():
        if instead := reserved(name, value):
            raise UsageError(f"KAFKA_PROPERTIES: {name} cannot be set there: {instead}")
    return {name: value for name, value in properties.items() if name not in _OURS}


def milliseconds(properties: Mapping[str, str], name: str, default: int) -> int:
    """A time among the properties. Raises UsageError for what is no whole number."""
    value = properties.get(name, str(default))
    if not value.isascii() or not value.isdigit():
        raise UsageError(f"KAFKA_PROPERTIES: {name} must be whole milliseconds, such as {default}")
    return int(value)
