"""Receivers that throttle, lose answers, redirect, refuse and dawdle; users whose records always fail, or never end."""

import time
from collections import Counter
from collections.abc import Sequence

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan, Outage
from tests.faults.network import ANSWERS, Clear, Fault, Throttle, Towards, Truncate
from tests.faults.outcomes import Recorder
from tests.faults.progress import Progress
from tests.faults.proxy import FaultProxy
from tests.faults.ways import to_receivers
from tests.integration.conftest import MakeStage
from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage
from tests.integration.topology_copy import Changes

IDS = [f"event-{number:02}" for number in range(20)]
QUICK: Changes = {"retry": {"base_delay": "100ms", "max_delay": "1s"}}
ONE_AT_A_TIME: Changes = {**QUICK, "concurrency": 1, "batch": {"max_items": 1}}


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{number:03}" for number in range(count)]


def judge(
    stage: Stage,
    outcome: Recorder,
    consumer: ConsumerProcess,
    ids: Sequence[str],
    progress_s: float,
    *,
    buried: int = 0,
    within_s: float = 15.0,
) -> int:
    """Wait for the end, and count: nothing is lost, all is committed; gives how many came twice."""
    with stage.watch() as watch:
        stage.wait_for_the_end(watch, 60.0)
    assert consumer.stop() == 0, consumer.tail()
    counts = Counter(stage.accepted_ids())
    lost = len(set(ids) - counts.keys()) - buried
    duplicates = sum(counts.values()) - len(counts)
    outcome.note(lost=lost, duplicates=duplicates, progress_s=progress_s)
    assert lost == 0
    assert len(stage.read_letters()) == buried
    assert progress_s <= within_s
    return duplicates


def answered(stage: Stage, status: int) -> int:
    return sum(stage.receiver.remote.report().client_api.answers.get(str(status), {}).values())


def assert_held(stage: Stage, outage: Outage, ids: Sequence[str], asked: int = 2) -> None:
    """While the outage lasts nothing is acknowledged, committed or dead-lettered."""
    before, committed = stage.accepted_ids(), stage.committed
    stage.receiver.remote.declare({"client_api": outage})
    since = answered(stage, outage.status)
    stage.produce_customs(*ids)
    stage.wait_until(lambda: answered(stage, outage.status) >= since + asked, 30.0)
    assert stage.accepted_ids() == before
    assert stage.committed.get(0, 0) == committed.get(0, 0)
    assert stage.read_letters() == []


@pytest.mark.slow
def test_row_19_one_hot_user_and_one_hot_partition_stop_nobody_else(
    make_stage: MakeStage, outcome: Recorder
) -> None:
    stage = make_stage(4)
    stage.create_letters()
    slow = ApiFaults(latency_ms=50.0)
    stage.receiver.remote.follow(FaultPlan(client_api=slow))
    hot, others = names("hot", 400), names("other", 60)
    stage.produce(*(stage.events.custom(one, user="hot") for one in hot), key=b"hot", partition=0)
    for partition in range(4):
        stage.produce_customs(*others[partition * 15 : partition * 15 + 15], partition=partition)

    consumer = stage.consumer(topology=stage.topology(client={"batch": {"max_items": 1}}))
    stage.wait_until(lambda: len(stage.accepted()) > 0, 60.0)
    started = Progress(stage)
    stage.wait_until(lambda: set(others) <= set(stage.accepted_ids()), 60.0)
    progress_s = started.seconds

    assert len(set(hot) & set(stage.accepted_ids())) < len(hot) / 2, "the hot user was no hindrance"
    stage.receiver.remote.follow(FaultPlan())
    assert judge(stage, outcome, consumer, [*hot, *others], progress_s) == 0
    assert [one for one in stage.accepted_ids() if one in set(hot)] == hot, "in the user's order"


@pytest.mark.parametrize(
    ("status", "retry_after_s"),
    [
        pytest.param(429, 3, id="429"),
        pytest.param(503, 3, id="503", marks=pytest.mark.slow),
        pytest.param(429, 86_400, id="a day", marks=pytest.mark.slow),
    ],
)
def test_row_23_retry_after_is_waited_for_up_to_a_bound(
    stage: Stage, outcome: Recorder, status: int, retry_after_s: int
) -> None:
    bounded: Changes = {**ONE_AT_A_TIME, "operations": {"events": {"max_retry_after_s": 3}}}
    consumer = stage.consumer(topology=stage.topology(client=bounded))
    stage.produce_customs("before")
    stage.wait_until(lambda: stage.accepted_ids() == ["before"], 60.0)
    asked = Outage(status=status, headers={"retry-after": str(retry_after_s)}, count=1)
    stage.receiver.remote.declare({"client_api": asked})
    stage.produce_customs(*IDS)
    stage.wait_until(lambda: answered(stage, status) == 1, 30.0)
    waiting = Progress(stage)

    progress_s = waiting.wait()

    assert progress_s > 2.5, "it did not wait"
    assert judge(stage, outcome, consumer, ["before", *IDS], progress_s) == 0


def test_row_24_a_lost_answer_is_asked_for_again_with_the_same_key_and_counted_in_doubt(
    stage: Stage, outcome: Recorder
) -> None:
    consumer = stage.consumer(topology=stage.topology(client=QUICK))
    stage.receiver.remote.follow(FaultPlan(client_api=ApiFaults(rate_lost_response=1.0)))
    stage.produce_customs(*IDS)

    status = consumer.wait_for_status(lambda one: one["destinations"]["client"]["in_doubt"] > 0)
    lost = Progress(stage)
    assert status["destinations"]["client"]["delivered"] == 0
    assert stage.committed == {0: 0}
    stage.receiver.remote.follow(FaultPlan())
    progress_s = lost.wait()
    settled = consumer.wait_for_status(lambda one: one["settled"] == len(IDS))

    assert settled["destinations"]["client"]["in_doubt"] == 0, "acknowledged in the end"
    keys: dict[str | None, set[str | None]] = {}
    for item in stage.accepted():
        keys.setdefault(item.event_id, set()).add(item.idempotency_key)
    assert {len(of_one) for of_one in keys.values()} == {1}, "the same key again"
    assert judge(stage, outcome, consumer, IDS, progress_s) > 0


def test_row_25_a_redirect_is_no_acknowledgement_and_is_not_followed(stage: Stage, outcome: Recorder) -> None:
    consumer = stage.consumer(topology=stage.topology(client=QUICK))
    elsewhere = {"location": f"{stage.receiver.base_url}/elsewhere"}
    for number, status in enumerate((302, 307)):
        assert_held(stage, Outage(status=status, headers=elsewhere), IDS[number * 10 : number * 10 + 10])
    over = Progress(stage)
    stage.receiver.remote.declare({})
    progress_s = over.wait()

    assert judge(stage, outcome, consumer, IDS, progress_s) == 0
    assert stage.receiver.remote.report().unknown_paths == 0, "it was followed"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Throttle(5.0, ANSWERS), id="slow-loris", marks=pytest.mark.slow),
        pytest.param(Truncate(20, Towards.CLIENT), id="half an answer"),
    ],
)
def test_row_26_an_answer_that_never_ends_or_ends_too_soon_is_no_acknowledgement(
    stage: Stage, outcome: Recorder, to_receiver: FaultProxy, fault: Fault
) -> None:
    topology = stage.topology(client={**ONE_AT_A_TIME, "timeouts": {"connect": "500ms", "total": "1s"}})
    to_receiver.inflict(fault)
    stage.produce(*(stage.events.custom(one) for one in IDS[:3]))  # one user's: each waits for the one before
    consumer = stage.consumer(topology=topology, **to_receivers(to_receiver))

    stage.wait_until(lambda: len(stage.accepted()) >= 2, 60.0)
    assert set(stage.accepted_ids()) == {IDS[0]}, "the second was sent without an answer to the first"
    assert stage.committed == {0: 0}
    over = Progress(stage)
    to_receiver.inflict(Clear())
    progress_s = over.wait()

    assert judge(stage, outcome, consumer, IDS[:3], progress_s) >= 1
    assert stage.accepted_ids()[-2:] == IDS[1:3]


@pytest.mark.slow
def test_row_27_what_is_the_destinations_fault_is_held_and_what_is_the_records_is_dead_lettered(
    stage: Stage, outcome: Recorder
) -> None:
    consumer = stage.consumer(topology=stage.topology(client=ONE_AT_A_TIME))
    everything: set[str] = set()
    slowest_s = 0.0
    for status in (400, 401, 403, 404, 409, 500, 503):
        ids = names(f"held-{status}", 3)
        assert_held(stage, Outage(status=status, body="what is this?"), ids, asked=1)
        over = Progress(stage)
        stage.receiver.remote.declare({})
        everything |= {*ids}
        stage.wait_until(lambda: set(stage.accepted_ids()) == everything, 30.0)
        slowest_s = max(slowest_s, over.seconds)
    for status in (413, 422):
        refused, follower = names(f"refused-{status}", 2)
        stage.receiver.remote.declare({"client_api": Outage(status=status, body={}, count=1)})
        stage.produce_customs(refused, follower)
        everything.add(follower)
        stage.wait_until(lambda: set(stage.accepted_ids()) == everything, 30.0)

    judge_buried = [*everything, "refused-413-000", "refused-422-000"]
    assert judge(stage, outcome, consumer, judge_buried, slowest_s, buried=2) == 0
    statuses = {letter.header("distinct-consumer.status") for letter in stage.read_letters()}
    assert statuses == {b"413", b"422"}


class Swallowing:
    """What holds the word never arrives: the answer to that request never comes."""

    def passing(self, data: bytes, towards: Towards) -> bytes:
        return b"" if towards is Towards.SERVER and b"unlucky" in data else data


@pytest.mark.slow
def test_row_28_one_users_record_that_always_fails_stops_nobody_else(stage: Stage, outcome: Recorder) -> None:
    topology = stage.topology(
        client={
            **QUICK,
            "concurrency": 4,
            "batch": {"max_items": 1},
            "timeouts": {"connect": "500ms", "total": "1s"},
        }
    )
    unlucky = [stage.events.custom(one, user="u") for one in ("unlucky-1", "after-it")]
    target = stage.receiver.base_url.removeprefix("http://")
    with FaultProxy(target, tap=Swallowing) as proxy:
        stage.produce(*unlucky, key=b"u")
        consumer = stage.consumer(topology=topology, **to_receivers(proxy))
        sent: list[str] = []
        started_s = time.monotonic()
        while not stage.read_letters():
            assert time.monotonic() < started_s + 60.0
            one = f"other-{len(sent):03}"
            before = Progress(stage)
            stage.produce_customs(one)
            sent.append(one)
            before.wait()
        progress_s = before.seconds

        assert judge(stage, outcome, consumer, [*sent, "after-it", "unlucky-1"], progress_s, buried=1) == 0
    accepted = stage.accepted_ids()
    assert accepted.index("other-000") < accepted.index("after-it"), "the others did not wait"
