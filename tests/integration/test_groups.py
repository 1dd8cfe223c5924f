"""Several members of a group, by both protocols, and several groups."""

import pytest

from consumer.sandbox.simulator import SimulatorConfig, SimulatorProcess
from tests.integration.conftest import MakeStage
from tests.integration.sharing import partitions_of, share
from tests.integration.stage import Stage

PARTITIONS = 4


@pytest.fixture
def stage(make_stage: MakeStage) -> Stage:
    stage = make_stage(PARTITIONS)
    stage.create_letters()
    return stage


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_members_share_the_partitions_and_take_over_what_one_leaves(stage: Stage, protocol: str) -> None:
    flags = ("--group-protocol", protocol)
    stage.generate(1_500)

    with stage.watch() as watch:
        first, second = stage.consumer(*flags), stage.consumer(*flags)
        share(stage, first, second)
        stage.generate(1_500, seed=2)
        assert first.stop() == 0, first.tail()
        share(stage, second)
        third = stage.consumer(*flags)
        share(stage, second, third)
        stage.wait_for_the_end(watch, 60.0)
        for consumer in (second, third):
            assert consumer.stop() == 0, consumer.tail()

    report = stage.check(watch)
    assert not report.findings, str(report)
    assert sum(report.duplicates.values()) == 0, str(report)


def test_a_static_member_that_restarts_gets_its_partitions_back_and_moves_no_others(stage: Stage) -> None:
    first, second = (stage.consumer("--instance-id", name) for name in ("a", "b"))
    share(stage, first, second)
    of_first, of_second = partitions_of(first), partitions_of(second)

    assert first.stop() == 0, first.tail()
    stage.generate(1_000)
    again = stage.consumer("--instance-id", "a")
    share(stage, again, second)

    assert (partitions_of(again), partitions_of(second)) == (of_first, of_second)
    with stage.watch() as watch:
        stage.wait_for_the_end(watch, 60.0)
        for consumer in (again, second):
            assert consumer.stop() == 0, consumer.tail()
    report = stage.check(watch)
    assert not report.findings, str(report)


def test_static_ids_are_refused_where_the_protocol_has_none(stage: Stage) -> None:
    refused = stage.consumer("--group-protocol", "consumer", "--instance-id", "a")

    assert refused.wait() == 2, refused.tail()
    assert "--group-protocol classic" in refused.stderr


def test_two_groups_each_deliver_everything_at_the_same_time(stage: Stage) -> None:
    stage.generate(1_500)
    config = SimulatorConfig(distinct_api_key="distinct-key", client_api_key="pk_client")

    with SimulatorProcess(config) as other_receiver:
        bounds = ("--until-end", "--timeout", "60", "--output", "json")
        own = stage.consumer(*bounds)
        other = stage.consumer(
            *bounds,
            CONSUMER_GROUP=stage.broker.group("other"),
            LEDGER_URL=f"sqlite:///{stage.folder / 'other.db'}",
            DISTINCT_BASE_URL=other_receiver.base_url,
            CLIENT_API_BASE_URL=other_receiver.base_url,
        )
        for consumer in (own, other):
            assert consumer.wait(90.0) == 0, consumer.tail()
            assert consumer.books["consumed"] == consumer.books["settled"] == 1_500
        books = stage.receiver.remote.books()

        assert books == other_receiver.remote.books()
        assert not any(book["duplicates"] for book in books.values())
