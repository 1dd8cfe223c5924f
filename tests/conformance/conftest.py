"""The options that lead to a vendor's server, and whom the cases run against without them."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from consumer.sandbox.simulator import SimulatorConfig, SimulatorThread, UnknownUsers
from tests.conformance.account import SIMULATOR_KEYS, Account, AccountError, account_from
from tests.conformance.case import APIS
from tests.conformance.target import Target

_DATA = {
    "user_id": "user-1",
    "email": "john.doe@example.com",
    "phone": "+14155552671",
    "unknown_phone": f"{UnknownUsers().phone_prefix}2345678",
    "experience_id": "47Gop5",
    "experience_value": "fifa-cwc-2025",
    "event_value": "evt-1",
    "session_id": "ses-1",
    "registration_page_value": "register-now",
    "touchpoint_id": "tp-1",
    "scanning_user_id": "user-1",
    "vibetrace_id": "42",
    "order_id": "ord-1",
    "external_id": "user-1",
    "anonymous_id": "anon-1",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--account", type=Path, help="a vendor's server, keys and test data: docs/simulator.md")
    group.addoption(
        "--i-own-this-account", action="store_true", help="send the cases to the account that --account names"
    )


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """The simulator, or the vendor that the options name."""
    try:
        account = account_from(
            request.config.getoption("--account", None),
            owned=request.config.getoption("--i-own-this-account", False),
        )
    except AccountError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
    if account is not None:
        yield Target(account, None)
        return
    config = msgspec.convert(SIMULATOR_KEYS, SimulatorConfig)
    with SimulatorThread(config) as simulator:
        yield Target(simulated(simulator.base_url), config)


def simulated(base_url: str) -> Account:
    """The simulator's account: all APIs on one port."""
    return Account(dict.fromkeys(APIS, base_url), {**_DATA, **SIMULATOR_KEYS})
