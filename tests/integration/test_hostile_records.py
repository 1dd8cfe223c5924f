"""Every hostile record there is among good ones: the good ones arrive, the others are dead letters, nobody dies."""

from typing import Any

from confluent_kafka import Producer

from tests.brokers import StoredRecord
from tests.integration.conftest import MakeStage
from tests.integration.hostile import Hostile, Workshop
from tests.integration.raw_producer import produce_with_raw_header
from tests.integration.stage import Stage

OURS = "distinct-consumer."
LARGE = {"max.message.bytes": "16000000"}
MIB = 1024 * 1024


def produce(
    stage: Stage,
    value: bytes | None,
    *,
    key: bytes | None = b"user-1",
    headers: Any = (),
    codec: str = "none",
) -> None:
    """One record in a batch of its own; raises where the broker refuses it."""
    producer = Producer(
        {
            "bootstrap.servers": stage.broker.bootstrap_servers,
            "message.max.bytes": 100_000_000,
            "batch.size": 100_000_000,
            "log_level": 2,
            "compression.type": codec,
        }
    )
    refused: list[Any] = []
    producer.produce(
        stage.topic,
        key=key,
        value=value,
        headers=list(headers),
        partition=0,
        on_delivery=lambda error, _: refused.append(error),
    )
    assert producer.flush(60.0) == 0
    assert refused == [None]


def origin(letter: StoredRecord) -> int:
    return int(letter.header(f"{OURS}origin-offset") or b"-1")


def theirs(letter: StoredRecord) -> list[Any]:
    return [header for header in letter.headers if not header[0].startswith(OURS)]


def test_every_hostile_record_is_dead_lettered_untouched_and_all_good_ones_arrive(
    make_stage: MakeStage,
) -> None:
    stage = make_stage(1, topic_config=LARGE)
    stage.create_letters(LARGE)
    workshop = Workshop(stage)
    good: list[str] = []
    expected: dict[int, Hostile] = {}
    offset = 0

    def say_good(number: int) -> None:
        nonlocal offset
        names = [f"good-{len(good) + n}" for n in range(number)]
        stage.produce_customs(*names)
        good.extend(names)
        offset += number

    say_good(3)
    for one in workshop.every():
        produce(stage, one.value, key=one.key, headers=one.headers)
        expected[offset] = one
        offset += 1
        say_good(4)
    for codec in ("gzip", "zstd"):
        # 30 MB each from a few kilobytes: what comes out is larger than the dead-letter topic takes, too.
        bomb = Hostile(f"a {codec} bomb", b"\x00" * (30 * MIB), "too large")
        produce(stage, bomb.value, codec=codec)
        expected[offset] = bomb
        offset += 1
        say_good(2)
    produce_with_raw_header(
        stage.broker.bootstrap_servers, stage.topic, b"\xff\xfe", stage.events.custom("raw")
    )
    expected[offset] = Hostile(
        "a header name of any bytes", stage.events.custom("raw"), "header name is not utf-8", None
    )
    offset += 1
    say_good(30)

    consumer = stage.consumer()
    stage.wait_until(lambda: stage.committed == {0: offset}, 100.0, lambda: f"{stage.committed} of {offset}")
    status, peak_bytes = consumer.status(), consumer.peak_bytes

    assert consumer.stop() == 0, consumer.tail()
    assert stage.accepted_ids() == good
    letters = {origin(letter): letter for letter in stage.read_letters()}
    said = {expected[at].name: letter.header(f"{OURS}reason") for at, letter in letters.items()}
    assert said == {one.name: one.reason.encode() for one in expected.values()}
    assert len(stage.read_letters()) == len(expected), "one letter each"
    for at, one in expected.items():
        letter = letters[at]
        assert letter.key == one.key, one.name
        if len(one.value or b"") > 20 * MIB:
            assert letter.value is None, one.name
            assert letter.header(f"{OURS}stub-digest") is not None, one.name
        else:
            assert letter.value == one.value, one.name
            assert theirs(letter) == list(one.headers), one.name
    assert status is not None
    assert (status["consumed"], status["settled"], status["balanced"]) == (offset, offset, True)
    assert status["undecodable"] == len(expected)
    assert peak_bytes < 700 * MIB, f"{peak_bytes // MIB} MiB"
