"""`paused` in the topology: a destination is given nothing, and loses nothing."""

from tests.e2e.admin_port import AdminPort
from tests.e2e.people import Person
from tests.integration.processes import wait_until
from tests.integration.stage import Stage


def test_a_paused_destination_is_given_nothing_and_gets_it_all_once_it_is_not_paused(
    stage: Stage, person: Person
) -> None:
    stage.produce(*(person.engaged(f"e-{number}") for number in range(20)))

    consumer = stage.consumer(topology=stage.topology(client={"paused": True}))
    port = AdminPort(consumer)
    wait_until(lambda: port.status["destinations"]["user-analytics"]["delivered"] == 20, 30.0)
    assert port.state_of("client") == ("paused", "by the topology")
    assert port.status["destinations"]["client"]["in_flight"] == 20
    assert 'distinct_consumer_destination_paused{destination="client"} 1.0' in port.get("/metrics").text
    assert port.get("/ready").status_code == 200
    assert consumer.stop() == 0, consumer.tail()
    assert stage.accepted_ids() == []
    assert stage.committed == {0: 0}
    assert stage.read_letters() == []

    resumed = stage.consumer(topology=stage.topology())
    stage.wait_until(lambda: stage.committed == {0: 20}, 30.0)
    assert stage.accepted_ids() == [f"e-{number}" for number in range(20)]
    assert len(stage.accepted("user-analytics")) == 20, "what was delivered there is not sent again"
    assert resumed.stop() == 0, resumed.tail()
