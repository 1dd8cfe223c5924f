"""Processes that do not work and do not know that others have taken over."""

import time
from pathlib import Path

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.faults import freezing, hanging, ways
from tests.faults.network import ANSWERS, BlackHole
from tests.faults.outcomes import Recorder
from tests.faults.progress import Progress, accepted
from tests.faults.proxy import FaultProxy
from tests.faults.zombies import freeze, freeze_at_a_request, thaw
from tests.integration.conftest import MakeStage
from tests.integration.processes import wait_until
from tests.integration.sharing import partitions_of, share
from tests.integration.stage import Stage

SLOW = ApiFaults(latency_ms=20.0, jitter_ms=30.0)
ON_THE_WIRE = 4 * 10 + 16
"""What one process can have on the wire with the topology of `stream`."""


def stream(make_stage: MakeStage, records: int) -> tuple[Stage, Path]:
    """A stage with a backlog and receivers slow enough that something is always on the wire, and its topology."""
    stage = make_stage(4)
    stage.create_letters()
    stage.receiver.remote.follow(FaultPlan(user_analytics=SLOW, client_api=SLOW))
    stage.generate(records)
    topology = stage.topology(
        client={"concurrency": 4, "batch": {"max_items": 10}}, analytics={"concurrency": 16}
    )
    return stage, topology


@pytest.mark.parametrize("protocol", ["classic", pytest.param("consumer", marks=pytest.mark.slow)])
def test_row_03_a_process_that_is_frozen_for_longer_than_its_session_moves_no_offset_when_it_wakes(
    make_stage: MakeStage, outcome: Recorder, protocol: str
) -> None:
    stage, topology = stream(make_stage, 2_500)

    with stage.watch() as watch:
        flags = ("--group-protocol", protocol)
        zombie, other = (stage.consumer(*flags, topology=topology) for _ in range(2))
        share(stage, zombie, other)
        stage.generate(1_000, seed=2)
        lost = min(partitions_of(zombie))
        freeze(stage, zombie)
        progress_s = Progress(stage).probe(90.0, partition=lost)
        thaw(zombie)
        share(stage, zombie, other)
        stage.generate(500, seed=3)
        stage.wait_for_the_end(watch, 90.0)
        for consumer in (zombie, other):
            assert consumer.stop() == 0, consumer.tail()

    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=45.0, allowed=ON_THE_WIRE)


def test_row_03_a_process_that_is_frozen_just_before_a_request_does_not_send_it_when_it_wakes(
    make_stage: MakeStage, outcome: Recorder, tmp_path: Path
) -> None:
    stage, topology = stream(make_stage, 2_500)
    freezes = tmp_path / "freezes"

    with stage.watch() as watch:
        zombie = stage.consumer(
            topology=topology, module="tests.faults.freezing", **{freezing.WHILE: str(freezes)}
        )
        other = stage.consumer(topology=topology)
        share(stage, zombie, other)
        stage.generate(1_000, seed=2)
        lost = min(partitions_of(zombie))
        freeze_at_a_request(stage, zombie, freezes)
        progress_s = Progress(stage).probe(90.0, partition=lost)
        thaw(zombie)
        share(stage, zombie, other)
        stage.wait_for_the_end(watch, 90.0)
        for consumer in (zombie, other):
            assert consumer.stop() == 0, consumer.tail()

    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=45.0, allowed=ON_THE_WIRE)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_row_04_a_poll_that_hangs_past_the_poll_interval_costs_the_partitions_and_commits_nothing(
    make_stage: MakeStage, outcome: Recorder, tmp_path: Path, protocol: str
) -> None:
    stage, topology = stream(make_stage, 2_000)
    hangs, properties = tmp_path / "hangs", tmp_path / "impatient.properties"
    properties.write_text(
        "max.poll.interval.ms=11000\n" + "session.timeout.ms=6000\n" * (protocol == "classic")
    )
    flags = ("--group-protocol", protocol, "--drain-timeout", "1s")

    with stage.watch() as watch:
        zombie = stage.consumer(
            *flags,
            topology=topology,
            module="tests.faults.hanging",
            KAFKA_PROPERTIES=str(properties),
            **{hanging.WHILE: str(hangs)},
        )
        other = stage.consumer(*flags, topology=topology)
        share(stage, zombie, other)
        stage.generate(1_000, seed=2)
        stage.wait_until(lambda: accepted(stage) > 200, 60.0)
        lost = min(partitions_of(zombie))
        hangs.touch()
        stage.kills_ms.append(time.time_ns() // 1_000_000)
        hung = Progress(stage)
        stage.wait_until(lambda: lost in partitions_of(other), 60.0)
        stage.kills_ms.append(time.time_ns() // 1_000_000)
        progress_s = hung.probe(90.0, partition=lost)
        hangs.unlink()
        share(stage, zombie, other)
        stage.generate(500, seed=3)
        stage.wait_for_the_end(watch, 90.0)
        for consumer in (zombie, other):
            assert consumer.stop() == 0, consumer.tail()

    # It sends on while its polls hang: what is on the wire at the hand-over can be doubled.
    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=60.0, allowed=2 * ON_THE_WIRE)


def test_row_06_an_answer_that_comes_after_its_partition_left_and_came_back_moves_no_offset(
    make_stage: MakeStage, to_receiver: FaultProxy, outcome: Recorder
) -> None:
    stage = make_stage(2)
    stage.create_letters()
    patient = {"batch": {"max_items": 1}, "timeouts": {"connect": "5s", "total": "120s"}}
    topology = stage.topology(client=patient)
    flags = ("--drain-timeout", "1s")

    with stage.watch() as watch:
        slow = stage.consumer(*flags, topology=topology, **ways.to_receivers(to_receiver))
        slow.wait_for_status(lambda status: len(status["partitions"]) == 2, 60.0)
        to_receiver.inflict(BlackHole(ANSWERS))
        for partition in (0, 1):
            stage.produce_customs(f"held-{partition}", partition=partition)
        wait_until(lambda: len(stage.accepted()) == 2, 60.0)
        # It sends nothing: a record that comes again may go at once, and its answer would move the offset.
        guest = stage.consumer(*flags, topology=stage.topology(client={**patient, "paused": True}))
        share(stage, slow, guest)
        (left,) = partitions_of(guest)
        assert guest.stop() == 0, guest.tail()
        stage.wait_until(lambda: len(partitions_of(slow)) == 2, 60.0)
        time.sleep(2.0)  # several commit intervals
        assert not any(watch.standing.values()), "an offset moved before an answer came"

        # Answers of the assignment before: they settle nothing of this one, but the ledger learns of them, and so the
        # record that was read again is not sent again.
        late = Progress(stage)
        to_receiver.clear()
        progress_s = late.probe(partition=left)
        stage.wait_for_the_end(watch, 60.0)
        books = slow.wait_for_status(lambda status: status["destinations"]["client"]["suppressed"] == 1)
        assert books["balanced"]
        assert slow.stop() == 0, slow.tail()

    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=20.0)
