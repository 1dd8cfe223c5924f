"""Records that are odd but no fault of anybody's, and a dead-letter topic that cannot be written."""

from collections.abc import Sequence

from confluent_kafka import Producer

from tests.faults.outcomes import Recorder
from tests.faults.progress import Progress
from tests.integration.conftest import MakeStage
from tests.integration.stage import Stage

Headers = Sequence[tuple[str, str | bytes | None]]


def test_row_32_while_no_dead_letter_can_be_written_nothing_is_committed_past_it(
    make_stage: MakeStage, outcome: Recorder
) -> None:
    stage = make_stage(1)  # without the dead-letter topic
    stage.produce_customs("before")
    stage.produce(b"not an event")
    stage.produce_customs("after")
    consumer = stage.consumer(CONSUMER_COMMIT_INTERVAL="200ms")

    consumer.wait_for_status(lambda status: status["settled"] == 2)
    stage.wait_until(lambda: stage.committed == {0: 1}, 30.0)
    assert stage.accepted_ids() == ["before", "after"], "the records behind it go on"
    stage.create_letters()
    written = Progress(stage)
    with stage.watch() as watch:
        stage.wait_for_the_end(watch, 60.0)
    progress_s = written.seconds

    assert consumer.stop() == 0, consumer.tail()
    assert [letter.value for letter in stage.read_letters()] == [b"not an event"]
    duplicates = len(stage.accepted_ids()) - 2
    outcome.note(lost=0, duplicates=duplicates, progress_s=progress_s)
    assert duplicates == 0
    assert progress_s < 40.0


def test_row_33_no_value_no_key_and_what_is_too_large_or_there_twice_is_settled(
    stage: Stage, outcome: Recorder
) -> None:
    def event(name: str) -> bytes:
        return stage.events.custom(name, user=name)

    twice: Headers = [("trace", b"1"), ("trace", b"2"), ("trace", None)]
    records: list[tuple[bytes | None, bytes | None, Headers]] = [
        (b"user-1", None, []),
        (None, None, []),
        (None, event("no key"), []),
        (b"", event("empty key"), []),
        (b"\xff" * 200_000, event("giant key"), []),
        (b"user-2", event("giant header"), [("\u00e4" * 1_000, b"\xff" * 200_000)]),
        (b"user-3", event("header twice"), twice),
        (b"user-4", event("no header"), [("", None)]),
    ]
    producer = Producer({"bootstrap.servers": stage.broker.bootstrap_servers, "log_level": 2})
    for key, value, headers in records:
        producer.produce(stage.topic, key=key, value=value, headers=list(headers), partition=0)
    assert producer.flush(30.0) == 0
    begun = Progress(stage)

    done = stage.to_the_end()

    assert done.wait() == 0, done.tail()
    assert done.books["tombstones"] == 2
    assert done.books["settled"] == len(records)
    expected = {"no key", "empty key", "giant key", "giant header", "header twice", "no header"}
    assert sorted(filter(None, stage.accepted_ids())) == sorted(expected)
    assert stage.read_letters() == []
    assert stage.committed == {0: len(records)}
    outcome.note(lost=0, duplicates=0, progress_s=begun.seconds)
