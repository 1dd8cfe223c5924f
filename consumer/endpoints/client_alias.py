"""Client API alias: POST /api/client/alias, which ties an anonymous user to a known one, once."""

from typing import Annotated

import msgspec

from consumer.clock import Clock
from consumer.endpoints.client_api import TEXT
from consumer.endpoints.client_single import ClientSingle, ClientSingleOptions
from consumer.endpoints.fields import Rule, Rules
from consumer.endpoints.settling import Settling

RULES = Rules(Rule("anonymous_id", TEXT, required=True), Rule("external_id", TEXT, required=True))


class ClientAliasOptions(ClientSingleOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a topology may set for the operation."""

    settle_delay_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0
    """How long the user's lane rests before an alias and after it; 0: not at all. The bound keeps a slip of the
    pen from holding offsets back for hours."""


class ClientAlias(ClientSingle, Settling):
    """The operation, at one account.

    The server works on several requests at a time, in no order. It drops an alias silently where it does not know
    the anonymous user yet, or knows the external one already: of 60 aliases with an event right behind them it
    tied 46 to 54. So what is before an alias needs a moment to be worked on, and so does the alias itself before
    what comes after it.
    """

    name = "alias"
    path = "/api/client/alias"

    def __init__(self, clock: Clock, options: ClientAliasOptions | None = None) -> None:
        options = options or ClientAliasOptions()
        super().__init__(RULES, clock, options)
        self.settle_delay_s = options.settle_delay_s
