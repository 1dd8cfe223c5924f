"""Who may ask Distinct's APIs: the key first, then the address.

Source: the vendor's pages. 401 is documented for User Analytics with its text; 403 is documented for an
address that is not on the optional allow-list, without a text.
"""

from typing import Literal

from consumer.sandbox.simulator.request import Request

Refusal = Literal[401, 403]
MESSAGES: dict[int, str] = {401: "Unauthorized.", 403: "Forbidden.", 500: "Internal server error."}
"""The 403's is our own."""


class DistinctAccess:
    """One key, and the addresses that it may be used from."""

    def __init__(self, *, api_key: str, allowed_ips: frozenset[str] | None) -> None:
        self._api_key = api_key.encode()
        self._allowed_ips = allowed_ips

    def refusal(self, request: Request) -> Refusal | None:
        """None: go on."""
        if request.headers.get(b"x-distinct-api-key") != self._api_key:
            return 401
        if self._allowed_ips is not None and request.client_ip not in self._allowed_ips:
            return 403
        return None
