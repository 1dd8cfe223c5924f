"""Client API devices: POST /api/client/devices, which registers a user's device, also for push."""

from typing import Any

from consumer.clock import Clock
from consumer.endpoints import checks
from consumer.endpoints.client_api import DEVICE_STRINGS, IDENTIFIER_RULES
from consumer.endpoints.client_single import ClientSingle, ClientSingleOptions
from consumer.endpoints.fields import Rule, Rules


def _string(value: Any) -> str | None:
    """Also an empty one: the server asks for the field and takes it, and a device whose model nobody knows can be
    reached all the same."""
    return None if type(value) is str else checks.NOT_TEXT


RULES = Rules(
    *IDENTIFIER_RULES,
    # An empty one would be one device, shared by all that have none.
    Rule("device_id", checks.text, required=True),
    *(Rule(name, _string, required=True) for name in DEVICE_STRINGS if name != "device_id"),
    # The page does not call it optional; the server takes a device without one.
    Rule("token", checks.text),
)


class ClientDevices(ClientSingle):
    """The operation, at one account. The server drops the device of a user whom it does not know, silently."""

    name = "devices"
    path = "/api/client/devices"

    def __init__(self, clock: Clock, options: ClientSingleOptions | None = None) -> None:
        super().__init__(RULES, clock, options or ClientSingleOptions())
