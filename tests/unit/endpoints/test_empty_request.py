"""The request that tries a key: every API has one or says why not, and none of it can be taken for an item."""

import pytest

from consumer.clock import ManualClock
from consumer.endpoints.catalogue import APIS
from consumer.endpoints.empty_request import EMPTY_REQUESTS, EmptyRequest, NoEmptyRequest, empty_request
from consumer.endpoints.endpoint import Invalid


@pytest.mark.parametrize("api", APIS)
def test_every_api_has_one_or_says_why_it_has_none(api: str) -> None:
    assert api in EMPTY_REQUESTS


@pytest.mark.parametrize("api", [api for api in APIS if isinstance(empty_request(api), EmptyRequest)])
def test_it_goes_to_an_operation_that_would_never_send_it_itself(api: str) -> None:
    request = empty_request(api)
    assert isinstance(request, EmptyRequest)
    operation = APIS[api][request.operation].build(ManualClock(), {})

    assert request.body in (b"{}", b"[{}]")
    assert (request.body == b"[{}]") is (operation.max_items > 1)
    assert isinstance(operation.encode({}), Invalid)


def test_an_api_that_nobody_has_thought_about_is_not_tried() -> None:
    assert isinstance(empty_request("somebody_elses"), NoEmptyRequest)
