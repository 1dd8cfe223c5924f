"""A stop in order: what is on the wire is awaited, and nothing is sent twice afterwards."""

from functools import partial

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.checker.fate import USER_ANALYTICS
from tests.faults.outcomes import Recorder
from tests.faults.progress import Progress
from tests.integration.conftest import MakeStage
from tests.integration.stage import Stage

RECORDS = 4_000


def _has_more(stage: Stage, than: int) -> bool:
    return len(stage.accepted(USER_ANALYTICS)) > than


def test_row_02_a_sigterm_in_the_middle_of_a_stream_causes_no_duplicate(
    make_stage: MakeStage, outcome: Recorder
) -> None:
    stage = make_stage(4)
    stage.create_letters()
    # Slow enough that both receivers are in the middle of the stream at every stop.
    slow = ApiFaults(latency_ms=20.0, jitter_ms=30.0)
    stage.receiver.remote.follow(FaultPlan(user_analytics=slow, client_api=slow))
    topology = stage.topology(
        client={"concurrency": 4, "batch": {"max_items": 10}}, analytics={"concurrency": 16}
    )
    stage.generate(RECORDS)

    with stage.watch() as watch:
        for _ in range(3):
            enough = len(stage.accepted(USER_ANALYTICS)) + RECORDS // 20
            consumer = stage.consumer("--output", "json", topology=topology)
            stage.wait_until(partial(_has_more, stage, enough), 60.0)
            assert consumer.stop() == 0, consumer.tail()
            books = consumer.books
            assert books["balanced"]
            assert books["in_flight"] == 0
            assert books["abandoned"] > 0, "nothing was queued when it was stopped"
        stopped = Progress(stage)
        last = stage.consumer(topology=topology)
        progress_s = stopped.wait()
        stage.wait_for_the_end(watch, 60.0)
        assert last.stop() == 0, last.tail()

    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=20.0)
