"""Found by fuzzing: a success whose JSON is no text in a place that is passed over was taken for an acknowledgement."""

import pytest

from consumer.clock import ManualClock
from consumer.endpoints.catalogue import APIS
from consumer.endpoints.outcome import Delivered
from consumer.endpoints.response_table import UNDOCUMENTED_SUCCESS
from consumer.http.sender import Answer

OPERATIONS = [
    (api, name, entry.build(ManualClock(), {}))
    for api, entries in APIS.items()
    if api != "client_api"
    for name, entry in entries.items()
]


@pytest.mark.parametrize(("api", "name", "operation"), OPERATIONS)
def test_a_success_with_a_byte_that_is_no_utf8_is_no_acknowledgement(api, name, operation):
    body = b'{"results": [{"id": 1}], "statusCode": 200, "x": "?"}'
    assert operation.classify(Answer(200, {}, body)) == Delivered()
    assert operation.classify(Answer(200, {}, body.replace(b"?", b"\xa9"))) == UNDOCUMENTED_SUCCESS
