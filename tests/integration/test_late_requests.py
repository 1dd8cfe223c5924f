"""A request cannot be called back: what a receiver takes late comes after its successor. The limit, not a promise."""

import threading
from collections.abc import Iterator

import pytest

from tests.faults import ways
from tests.faults.network import REQUESTS, BlackHole, Clear, Towards
from tests.faults.proxy import FaultProxy
from tests.integration.stage import Stage

ONE_AT_A_TIME = {"batch": {"max_items": 1}}


class Sight:
    """Notices when a request has come as far as the proxy."""

    def __init__(self) -> None:
        self.came = threading.Event()

    def passing(self, data: bytes, towards: Towards) -> bytes:
        if towards is Towards.SERVER and data.startswith(b"POST"):
            self.came.set()
        return data


@pytest.fixture
def sight() -> Sight:
    return Sight()


@pytest.fixture
def on_the_way(stage: Stage, sight: Sight) -> Iterator[FaultProxy]:
    """A network between consumer and receivers that keeps every request until it is cleared."""
    _, _, address = stage.receiver.base_url.rpartition("//")
    with FaultProxy(address, tap=lambda: sight) as proxy:
        proxy.inflict(BlackHole(REQUESTS))
        yield proxy


def two_events(stage: Stage) -> None:
    """Of one user, so in their order."""
    events = [stage.events.custom(event_id, user="ann") for event_id in ("e-1", "e-2")]
    stage.produce(*events, key=b"ann")


def come_late(stage: Stage, on_the_way: FaultProxy) -> None:
    """The network gives up what it kept, and the receiver takes it."""
    on_the_way.clear()
    stage.wait_until(lambda: len(stage.accepted_ids()) == 3, 30.0)
    assert stage.accepted_ids() == ["e-1", "e-2", "e-1"]
    assert stage.receiver.remote.books()["client_api"]["duplicates"] == 1


def test_a_request_that_timed_out_may_take_effect_after_its_retry_and_after_its_follower(
    stage: Stage, on_the_way: FaultProxy, sight: Sight
) -> None:
    two_events(stage)
    quick = {**ONE_AT_A_TIME, "timeouts": {"connect": "2s", "total": "4s"}}

    consumer = stage.consumer(topology=stage.topology(client=quick), **ways.to_receivers(on_the_way))
    assert sight.came.wait(60.0), consumer.tail()
    on_the_way.inflict_on_new(Clear())
    stage.wait_until(lambda: stage.committed == {0: 2}, 60.0)
    assert stage.accepted_ids() == ["e-1", "e-2"], "the retry, and what waited for it"
    come_late(stage, on_the_way)

    books = consumer.wait_for_status(lambda _: True)["destinations"]["client"]
    assert (books["delivered"], books["in_doubt"]) == (2, 0), "its retry was acknowledged"
    first, _, late = stage.accepted()
    assert first.idempotency_key == late.idempotency_key, "by which a receiver could tell it"
    assert consumer.stop() == 0, consumer.tail()


def test_a_request_of_a_killed_process_may_take_effect_after_its_successors(
    stage: Stage, on_the_way: FaultProxy, sight: Sight
) -> None:
    two_events(stage)
    topology = stage.topology(client=ONE_AT_A_TIME)

    killed = stage.consumer("--instance-id", "same", topology=topology, **ways.to_receivers(on_the_way))
    assert sight.came.wait(60.0), killed.tail()
    stage.kill(killed)
    successor = stage.consumer("--instance-id", "same", topology=topology)
    stage.wait_until(lambda: stage.committed == {0: 2}, 60.0)
    assert stage.accepted_ids() == ["e-1", "e-2"], "its successor's"
    come_late(stage, on_the_way)

    assert successor.stop() == 0, successor.tail()
