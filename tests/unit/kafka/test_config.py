"""The options of our two Kafka clients: what an operator sets holds, or is refused by name."""

import logging
from collections.abc import Mapping

import pytest
from confluent_kafka import Consumer, Producer

from consumer.errors import UsageError
from consumer.kafka.config import KafkaPolicy, consumer_config, producer_config
from consumer.kafka.properties import CONSUMER_ONLY, PRODUCER_ONLY

POLICY = KafkaPolicy(group="group")
NOWHERE = "127.0.0.1:9"
TEXTS = {
    "compression.codec": "gzip",
    "compression.type": "gzip",
    "group.protocol.type": "consumer",
    "group.remote.assignor": "uniform",
    "isolation.level": "read_committed",
    "check.crcs": "true",
    "partitioner": "random",
    "queuing.strategy": "fifo",
}
NUMBERS = {
    "session.timeout.ms": "20000",
    "heartbeat.interval.ms": "3000",
    "max.poll.interval.ms": "60000",
    "compression.level": "2",
    "queue.buffering.backpressure.threshold": "1",
    "fetch.max.bytes": "30000000",
    "transaction.timeout.ms": "30000",
    "message.timeout.ms": "40000",
    "delivery.timeout.ms": "40000",
}


def value_of(name: str) -> str:
    return TEXTS.get(name) or NUMBERS.get(name, "100")


class Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def warnings_of(client: type[Consumer] | type[Producer], config: Mapping[str, object]) -> list[str]:
    """What librdkafka itself says it ignores of these options, without any broker."""
    log = Log()
    logger = logging.Logger("librdkafka")
    logger.addHandler(log)
    made = client(dict(config), logger=logger)
    made.poll(0)
    if isinstance(made, Consumer):
        made.close()
    return [line for line in log.lines if "will be ignored" in line]


def test_what_concerns_the_other_client_only_is_not_given_to_it_so_neither_warns() -> None:
    properties = {name: value_of(name) for name in CONSUMER_ONLY | PRODUCER_ONLY}

    assert warnings_of(Consumer, consumer_config(NOWHERE, properties, POLICY)) == []
    assert warnings_of(Producer, producer_config(NOWHERE, properties)) == []


@pytest.mark.parametrize("name", sorted(CONSUMER_ONLY | PRODUCER_ONLY))
def test_each_of_these_is_one_that_librdkafka_would_warn_of(name: str) -> None:
    """A property that both clients know must reach both."""
    options = {"bootstrap.servers": NOWHERE, "group.id": "group", name: value_of(name)}
    if name in CONSUMER_ONLY:
        del options["group.id"]

    assert len(warnings_of(Producer if name in CONSUMER_ONLY else Consumer, options)) == 1


def test_the_poll_interval_of_the_properties_holds_and_the_session_stays_below_it() -> None:
    config = consumer_config(NOWHERE, {"max.poll.interval.ms": "40000"}, POLICY)

    assert config["max.poll.interval.ms"] == 40_000
    assert config["session.timeout.ms"] == 40_000
    warnings_of(Consumer, config)  # librdkafka accepts both together


@pytest.mark.parametrize(
    ("properties", "policy"),
    [
        ({"max.poll.interval.ms": "30000"}, POLICY),
        ({}, KafkaPolicy(group="group", drain_timeout_s=295.0)),
    ],
)
def test_a_drain_that_would_outlast_the_poll_interval_is_refused(
    properties: dict[str, str], policy: KafkaPolicy
) -> None:
    with pytest.raises(
        UsageError, match=r"--drain-timeout is .* must stay 10 s below max\.poll\.interval\.ms"
    ):
        consumer_config(NOWHERE, properties, policy)


def test_how_much_is_read_ahead_is_bounded_unless_the_properties_say_otherwise() -> None:
    """A backlog of small records took 40 MB more with librdkafka's own bounds."""
    ours = consumer_config(NOWHERE, {}, POLICY)
    assert (ours["queued.min.messages"], ours["fetch.message.max.bytes"]) == (20_000, 262_144)

    properties = {
        "queued.min.messages": "5",
        "max.partition.fetch.bytes": "1000000",
        "fetch.queue.backoff.ms": "7",
    }
    theirs = consumer_config(NOWHERE, properties, POLICY)
    Consumer(theirs).close()
    assert (theirs["queued.min.messages"], theirs["fetch.queue.backoff.ms"]) == ("5", "7")
    names = list(theirs)
    assert names.index("max.partition.fetch.bytes") > names.index("fetch.message.max.bytes"), (
        "two names of one option: librdkafka takes the last"
    )


def test_what_is_read_ahead_lasts_for_as_long_as_nothing_is_fetched_after_it() -> None:
    """librdkafka fetches nothing for that long once it holds so much: a second, by its default, in which no more than
    that could be read."""
    ours = consumer_config(NOWHERE, {}, POLICY)
    ahead, rests_ms = ours["queued.min.messages"], ours["fetch.queue.backoff.ms"]
    assert isinstance(ahead, int)
    assert isinstance(rests_ms, int)
    assert ahead / (rests_ms / 1000) >= 100_000, "records a second"


def test_the_broker_gathers_what_trickles_in_unless_the_properties_say_otherwise() -> None:
    """With one byte, each record of a steady stream is a fetch of its own."""
    ours = consumer_config(NOWHERE, {}, POLICY)
    assert (ours["fetch.min.bytes"], ours["fetch.wait.max.ms"]) == (65_536, 10)

    theirs = consumer_config(NOWHERE, {"fetch.min.bytes": "1", "fetch.wait.max.ms": "500"}, POLICY)
    Consumer(theirs).close()
    assert (theirs["fetch.min.bytes"], theirs["fetch.wait.max.ms"]) == ("1", "500")


def test_a_poll_interval_that_is_no_number_is_refused() -> None:
    with pytest.raises(UsageError, match=r"max\.poll\.interval\.ms must be whole milliseconds"):
        consumer_config(NOWHERE, {"max.poll.interval.ms": "5m"}, POLICY)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("group.id", "other", "use CONSUMER_GROUP"),
        ("enable.auto.commit", "true", "offsets are committed after the acknowledgement only"),
        ("acks", "1", "all in-sync replicas"),
        ("enable.idempotence", "false", "all in-sync replicas"),
        ("delivery.report.only.error", "true", "all in-sync replicas"),
        ("message.max.bytes", "1000", "the dead-letter topic's max.message.bytes"),
    ],
)
def test_what_is_ours_is_refused_and_not_overridden_in_silence(name: str, value: str, why: str) -> None:
    for refused in (
        lambda: consumer_config(NOWHERE, {name: value}, POLICY),
        lambda: producer_config(NOWHERE, {name: value}),
    ):
        with pytest.raises(UsageError, match=f"KAFKA_PROPERTIES: {name} cannot be set there: .*{why}"):
            refused()


def test_what_says_only_what_is_so_anyway_is_accepted() -> None:
    """A properties file that is shared with other consumers has these."""
    shared = {"enable.auto.commit": "False", "acks": "all", "enable.idempotence": "true"}

    assert consumer_config(NOWHERE, shared, POLICY) == consumer_config(NOWHERE, {}, POLICY)
    assert producer_config(NOWHERE, shared) == producer_config(NOWHERE, {})


def test_how_long_a_letter_may_take_is_the_operators_to_say_under_either_name() -> None:
    assert producer_config(NOWHERE, {})["message.timeout.ms"] == "30000"
    assert producer_config(NOWHERE, {"message.timeout.ms": "7000"})["message.timeout.ms"] == "7000"
    by_its_other_name = producer_config(NOWHERE, {"delivery.timeout.ms": "7000"})
    assert by_its_other_name["delivery.timeout.ms"] == "7000"
    assert "message.timeout.ms" not in by_its_other_name


def test_what_concerns_both_reaches_both() -> None:
    properties = {"security.protocol": "SSL", "ssl.ca.location": "/etc/ca.pem", "socket.timeout.ms": "5000"}

    for config in (consumer_config(NOWHERE, properties, POLICY), producer_config(NOWHERE, properties)):
        assert properties.items() <= config.items()
