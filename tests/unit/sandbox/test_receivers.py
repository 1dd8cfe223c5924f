"""Each destination's deliveries are held against the book of its API."""

import pytest

from consumer.endpoints.catalogue import APIS
from consumer.errors import FaultError
from consumer.resources import schemas_dir, topology_dir
from consumer.sandbox.receivers import BOOKS, receivers
from consumer.sandbox.simulator.api import API_NAMES
from consumer.topology.load import load_plan
from consumer.topology.plan import Destination

_ENVIRONMENT = {
    "DISTINCT_BASE_URL": "http://127.0.0.1:1",
    "EVENT_API_BASE_URL": "http://127.0.0.1:1",
    "CLIENT_API_BASE_URL": "http://127.0.0.1:1",
    "DISTINCT_API_KEY": "k",
    "EVENT_API_KEY": "k",
    "CLIENT_API_KEY": "pk_k",
}


def _shipped() -> dict[str, Destination]:
    plan = load_plan(topology_dir(), _ENVIRONMENT, schemas=schemas_dir())
    return dict(plan.destinations)


def test_every_shipped_destination_has_a_book_of_its_own():
    destinations = _shipped()
    found = receivers(destinations)
    assert found.keys() == destinations.keys()
    assert len(set(found.values())) == len(found)
    assert (found["user-analytics"], found["client"]) == ("user_analytics", "client_api")


def test_every_api_that_is_delivered_to_is_simulated():
    assert APIS.keys() <= BOOKS.keys()
    assert set(BOOKS.values()) == set(API_NAMES) - {"touchpoint_metrics"}  # which is read, not delivered to


def test_what_can_not_be_compared_is_refused_by_name():
    client = _shipped()["client"]
    with pytest.raises(FaultError, match="first and second are accounts at one API"):
        receivers({"first": client, "second": client})
