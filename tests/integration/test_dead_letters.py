"""Dead letters: the record as it was, and nothing skipped while they cannot be written."""

import os
import time
from collections.abc import Callable
from hashlib import blake2b

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)

from tests.integration.conftest import MakeStage
from tests.integration.stage import Stage

POISON = b"not an event"
OURS = "distinct-consumer."


def test_a_letter_is_the_record_untouched_with_its_reason_behind(stage: Stage) -> None:
    headers: list[tuple[str, str | bytes | None]] = [("trace", b"1"), ("trace", None), ("raw", b"\xff\x00")]
    producer = Producer({"bootstrap.servers": stage.broker.bootstrap_servers, "log_level": 2})
    producer.produce(stage.topic, key=b"\x00\xff", value=POISON, headers=headers, partition=0)
    producer.flush(30.0)
    nameless = stage.events.custom("too-long", name="x" * 256)
    stage.produce(nameless)

    done = stage.to_the_end()

    assert done.wait() == 0, done.tail()
    unreadable, refused = sorted(
        stage.read_letters(), key=lambda one: one.header(f"{OURS}origin-offset") or b""
    )
    assert (unreadable.key, unreadable.value) == (b"\x00\xff", POISON)
    assert list(unreadable.headers[:3]) == headers
    assert unreadable.header(f"{OURS}reason") == b"wrong magic byte"
    assert unreadable.header(f"{OURS}origin-topic") == stage.topic.encode()
    assert unreadable.header(f"{OURS}origin-partition") == b"0"
    assert unreadable.header(f"{OURS}origin-offset") == b"0"
    assert (refused.key, refused.value) == (b"user-1", nameless)
    assert refused.header(f"{OURS}destination") == b"client"
    assert refused.header(f"{OURS}route") == b"client-custom-events"
    assert b"255" in (refused.header(f"{OURS}reason") or b"")
    assert len(refused.header(f"{OURS}topology-version") or b"") == 12
    assert stage.accepted_ids() == []
    assert stage.committed == {0: 2}


def test_what_is_too_large_for_the_topic_becomes_a_stub(make_stage: MakeStage) -> None:
    stage = make_stage(1)
    stage.create_letters({"max.message.bytes": "2000"})
    large = os.urandom(8_000)
    stage.produce(large)

    done = stage.to_the_end()

    assert done.wait() == 0, done.tail()
    (stub,) = stage.read_letters()
    assert (stub.key, stub.value) == (b"user-1", None)
    assert stub.header(f"{OURS}origin-offset") == b"0"
    assert stub.header(f"{OURS}stub-digest") == blake2b(large, digest_size=16).hexdigest().encode()
    assert stage.committed == {0: 1}


def without_a_topic(stage: Stage) -> Callable[[], None]:
    """The dead-letter topic does not exist."""
    return stage.create_letters


def without_room(stage: Stage) -> Callable[[], None]:
    """It takes no message at all, not even a stub."""
    stage.create_letters({"max.message.bytes": "100"})
    admin = AdminClient({"bootstrap.servers": stage.broker.bootstrap_servers, "log_level": 2})

    def mend() -> None:
        entry = ConfigEntry("max.message.bytes", "1048576", incremental_operation=AlterConfigOpType.SET)
        change = ConfigResource(ConfigResource.Type.TOPIC, stage.letters, incremental_configs=[entry])
        admin.incremental_alter_configs([change])[change].result(30.0)

    return mend


@pytest.mark.parametrize("break_it", [pytest.param(without_a_topic, marks=pytest.mark.slow), without_room])
def test_an_unwritable_topic_holds_the_commit_until_it_takes_the_letter(
    make_stage: MakeStage, break_it: Callable[[Stage], Callable[[], None]]
) -> None:
    stage = make_stage(1)
    mend = break_it(stage)
    stage.produce_customs("before")
    stage.produce(POISON)
    stage.produce_customs("after")

    killed = stage.consumer("--instance-id", "same")
    stage.wait_until(lambda: stage.committed == {0: 1} and len(stage.accepted_ids()) == 2, 30.0)
    time.sleep(2.5)  # two commits would have come meanwhile
    assert stage.committed == {0: 1}
    stage.kill(killed)
    stopped = stage.consumer("--instance-id", "same", CONSUMER_DRAIN_TIMEOUT="1s")
    # The one after it is settled: so it was decoded, and its letter is under way.
    stopped.wait_for_status(lambda status: (status["consumed"], status["settled"]) == (2, 1))
    assert stopped.stop(20.0) == 3, stopped.tail()
    assert stage.committed == {0: 1}

    mend()
    done = stage.to_the_end("--instance-id", "same")

    assert done.wait() == 0, done.tail()
    assert stage.accepted_ids() == ["before", "after"]
    assert {letter.value for letter in stage.read_letters()} == {POISON}, (
        "the killed one may have written it too"
    )
    assert stage.committed == {0: 3}
