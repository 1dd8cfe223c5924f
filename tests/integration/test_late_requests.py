"""A request cannot be called back: what a receiver takes late comes after its successor. The limit, not a promise."""

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage

LATE_S = 6.0
ONE_AT_A_TIME = {"timeouts": {"connect": "1s", "total": "1500ms"}, "batch": {"max_items": 1}}


def late_then_quick(stage: Stage, consumer: ConsumerProcess) -> None:
    """The first request takes effect late; all that follow do at once."""
    stage.wait_until(lambda: stage.receiver.remote.report().client_api.requests == 1, 30.0, consumer.tail)
    stage.receiver.remote.follow(FaultPlan())


def test_a_request_that_timed_out_may_take_effect_after_its_retry_and_after_its_follower(
    stage: Stage,
) -> None:
    stage.receiver.remote.follow(FaultPlan(client_api=ApiFaults(latency_ms=LATE_S * 1000)))
    events = [stage.events.custom(event_id, user="ann") for event_id in ("e-1", "e-2")]
    stage.produce(*events, key=b"ann")

    consumer = stage.consumer(topology=stage.topology(client=ONE_AT_A_TIME))
    late_then_quick(stage, consumer)
    stage.wait_until(lambda: stage.committed == {0: 2}, 30.0)
    assert stage.accepted_ids() == ["e-1", "e-2"], "the retry, and what waited for it"
    stage.wait_until(lambda: len(stage.accepted_ids()) == 3, 30.0)

    assert stage.accepted_ids() == ["e-1", "e-2", "e-1"]
    books = consumer.wait_for_status(lambda _: True)["destinations"]["client"]
    assert (books["delivered"], books["in_doubt"]) == (2, 0), "its retry was acknowledged"
    assert stage.receiver.remote.books()["client_api"]["duplicates"] == 1
    first, _, late = stage.accepted()
    assert first.idempotency_key == late.idempotency_key, "by which a receiver could tell it"
    assert consumer.stop() == 0, consumer.tail()


def test_a_request_of_a_killed_process_may_take_effect_after_its_successors(stage: Stage) -> None:
    stage.receiver.remote.follow(FaultPlan(client_api=ApiFaults(latency_ms=LATE_S * 1000)))
    events = [stage.events.custom(event_id, user="ann") for event_id in ("e-1", "e-2")]
    stage.produce(*events, key=b"ann")
    topology = stage.topology(client={**ONE_AT_A_TIME, "timeouts": {"connect": "1s", "total": "20s"}})

    killed = stage.consumer("--instance-id", "same", topology=topology)
    late_then_quick(stage, killed)
    stage.kill(killed)
    successor = stage.consumer("--instance-id", "same", topology=topology)
    stage.wait_until(lambda: stage.committed == {0: 2}, 30.0)
    stage.wait_until(lambda: len(stage.accepted_ids()) == 3, 30.0)

    assert stage.accepted_ids() == ["e-1", "e-2", "e-1"]
    assert stage.receiver.remote.books()["client_api"]["duplicates"] == 1
    assert successor.stop() == 0, successor.tail()
