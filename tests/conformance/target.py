"""Runs a case against the simulator, or against the vendor whose account was named."""

from contextlib import ExitStack
from typing import Any

import httpx
import msgspec

from consumer.sandbox.simulator import Outage, SimulatorConfig, SimulatorRemote, SimulatorThread
from tests.conformance.account import SIMULATOR_KEYS, Account
from tests.conformance.case import Exchange, Variant
from tests.conformance.placeholders import NotNamed, fill
from tests.conformance.wire import differences, send

_TIMEOUT_S = 30.0


class LeftOut(Exception):
    """Why this case can't be run here."""


class Target:
    """Gives the differences between what a server answers and what it must."""

    def __init__(self, account: Account, config: SimulatorConfig | None) -> None:
        """config: of the simulator; None: a vendor's server."""
        self._account = account
        self._config = config
        # Loading certificates takes longer than a request on loopback, which is plain HTTP.
        self._verify = False if config is not None else httpx.create_ssl_context()

    def run(self, variant: Variant) -> list[str]:
        """Every exchange in turn, on one connection. Raises LeftOut before anything was sent."""
        exchanges = self._filled(variant)
        with ExitStack() as stack:
            base_url = self._base_url(variant, stack)
            client = stack.enter_context(
                httpx.Client(base_url=base_url, verify=self._verify, timeout=_TIMEOUT_S)
            )
            remote = None if self._config is None else _prepared(base_url, variant)
            found: list[str] = []
            for exchange in exchanges:
                response = send(client, exchange.request)
                by_shape = self._config is None and variant.case.vendor == "shape"
                found += differences(exchange.answer, response, by_shape=by_shape)
            return found if remote is None else found + _differences_of_ledger(remote, variant)

    def _filled(self, variant: Variant) -> list[Exchange]:
        case = variant.case
        if self._config is None and variant.row.basis == "decided":
            raise LeftOut("nobody documents it: no vendor is held to it")
        if self._config is None and case.needs_a_simulator:
            raise LeftOut("only a simulator can be brought to show it")
        if variant.api not in self._account.base_urls:
            raise LeftOut(f"the account names no base URL for {variant.api}")
        template = msgspec.to_builtins([Exchange(case.request, case.answer), *case.then])
        try:
            own = fill(variant.placeholders, self._account.values)
            return msgspec.convert(fill(template, {**self._account.values, **own}), list[Exchange])
        except NotNamed as missing:
            raise LeftOut(f"the account names no test data for {missing}") from None

    def _base_url(self, variant: Variant, stack: ExitStack) -> str:
        if self._config is None or not variant.case.simulator:
            return self._account.base_urls[variant.api]
        changed: dict[str, Any] = {**SIMULATOR_KEYS, **variant.case.simulator}
        return stack.enter_context(SimulatorThread(msgspec.convert(changed, SimulatorConfig))).base_url


def _prepared(base_url: str, variant: Variant) -> SimulatorRemote:
    """A simulator that remembers nothing of the case before."""
    remote, outage = SimulatorRemote(base_url), variant.case.outage
    remote.reset()
    remote.declare({} if outage is None else {variant.api: msgspec.convert(outage, Outage)})
    return remote


def _differences_of_ledger(remote: SimulatorRemote, variant: Variant) -> list[str]:
    book = getattr(remote.report(), variant.api)
    found = []
    for what in ("accepted", "harmed"):
        expected = getattr(variant.case, what)
        if expected is not None and getattr(book, what) != expected:
            found.append(f"{what} {getattr(book, what)} instead of {expected}")
    return found
