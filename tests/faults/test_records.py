"""Faults 20, 21 and 33: what a record can do to its consumer."""

from collections.abc import Iterable

from confluent_kafka import Producer

from tests.integration.conftest import MakeStage, make_stage, receiver  # noqa: F401  # fixtures
from tests.integration.hostile import Hostile, Workshop
from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage

OURS = "distinct-consumer."
LARGE = {"max.message.bytes": "4000000"}
MIB = 1024 * 1024


def staged(make: MakeStage) -> Stage:
    stage = make(1, topic_config=LARGE)
    stage.create_letters(LARGE)
    return stage


def produce(stage: Stage, records: Iterable[Hostile]) -> None:
    """Each between two good ones."""
    producer = Producer(
        {"bootstrap.servers": stage.broker.bootstrap_servers, "message.max.bytes": 4_000_000, "log_level": 2}
    )
    stage.produce_customs("first")
    for number, one in enumerate(records):
        producer.produce(stage.topic, key=one.key, value=one.value, headers=list(one.headers), partition=0)
        assert producer.flush(30.0) == 0
        stage.produce_customs(f"good-{number}")


def serve(stage: Stage) -> tuple[ConsumerProcess, int]:
    """Run until everything is committed; gives the most memory that it took."""
    consumer = stage.consumer()
    end = stage.broker.end_offsets(stage.topic)
    stage.wait_until(lambda: stage.committed == end, 60.0, lambda: f"{stage.committed} of {end}")
    peak_bytes = consumer.peak_bytes
    status = consumer.status()
    assert status is not None
    assert status["balanced"]
    assert consumer.stop() == 0, consumer.tail()
    return consumer, peak_bytes


def letters_of(stage: Stage) -> list[tuple[bytes | None, bytes | None, str]]:
    """Key, value and reason of each dead letter, in the order of their records."""
    letters = sorted(stage.read_letters(), key=lambda one: int(one.header(f"{OURS}origin-offset") or b""))
    return [(one.key, one.value, (one.header(f"{OURS}reason") or b"").decode()) for one in letters]


def good_of(count: int) -> list[str]:
    return ["first", *(f"good-{number}" for number in range(count))]


def test_row_20_bytes_that_are_no_value_of_their_schema_are_dead_lettered_among_good_ones(
    make_stage: MakeStage,  # noqa: F811
) -> None:
    stage = staged(make_stage)
    hostile = list(Workshop(stage).bytes_of_known_schema())
    produce(stage, hostile)
    serve(stage)
    assert letters_of(stage) == [(one.key, one.value, one.reason) for one in hostile]
    assert stage.accepted_ids() == good_of(len(hostile))


def test_row_21_bytes_that_would_exhaust_the_process_are_dead_lettered_and_it_stays_small(
    make_stage: MakeStage,  # noqa: F811
) -> None:
    stage = staged(make_stage)
    hostile = list(Workshop(stage).bytes_that_exhaust())
    produce(stage, hostile)
    _, peak_bytes = serve(stage)
    assert letters_of(stage) == [(one.key, one.value, one.reason) for one in hostile]
    assert stage.accepted_ids() == good_of(len(hostile))
    assert peak_bytes < 500 * MIB, f"{peak_bytes // MIB} MiB"


def test_row_33_tombstones_null_keys_and_huge_or_repeated_headers_are_counted_and_settled(
    make_stage: MakeStage,  # noqa: F811
) -> None:
    stage = staged(make_stage)

    def event(name: str) -> bytes:
        return stage.events.custom(name, user=f"user-{name}")

    repeated = [("h", b"1"), ("h", None), ("h", b"2"), ("", b"nameless"), ("h", b"x" * 1_000_000)]
    poison = b"\x07 no event"
    produce(
        stage,
        [
            Hostile("tombstone", None, ""),
            Hostile("tombstone without a key", None, "", key=None),
            Hostile("no key", event("no-key"), "", key=None),
            Hostile("an empty key", event("empty-key"), "", key=b""),
            Hostile("a key of a megabyte", event("large-key"), "", key=b"k" * 1_000_000),
            Hostile("a key that is no text", event("raw-key"), "", key=b"\xff\x00\xfe"),
            Hostile("headers", event("headers"), "", headers=list(repeated)),
            Hostile("poison with headers", poison, "wrong magic byte", key=None, headers=list(repeated)),
        ],
    )
    consumer = stage.consumer()
    end = stage.broker.end_offsets(stage.topic)
    stage.wait_until(lambda: stage.committed == end, 60.0, lambda: f"{stage.committed} of {end}")
    status = consumer.status()
    assert consumer.stop() == 0, consumer.tail()

    assert status is not None
    assert (status["consumed"], status["settled"], status["balanced"]) == (17, 17, True)
    assert (status["tombstones"], status["undecodable"]) == (2, 1)
    others = ["no-key", "empty-key", "large-key", "raw-key", "headers"]
    assert sorted(filter(None, stage.accepted_ids())) == sorted([*good_of(8), *others])
    (letter,) = stage.read_letters()
    assert (letter.key, letter.value) == (None, poison)
    assert list(letter.headers[: len(repeated)]) == repeated
