"""A simulator in a thread, and a sender that knows how a good request looks."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest

from consumer.sandbox.simulator import SimulatorConfig, SimulatorRemote, SimulatorThread

DISTINCT_KEY = "shared-key"
CLIENT_KEY = "pk_public-key"
ADMIN_KEY = "admin-key"
EVENT_KEY = "event-key"


class Sender:
    """Sends what is good unless told otherwise; a value of None leaves the field or header out."""

    def __init__(self, base_url: str) -> None:
        # verify=False: loading certificates takes longer than all else here, and loopback is plain HTTP.
        self.http = httpx.Client(base_url=base_url, trust_env=False, verify=False)

    def analytics(self, *, headers: dict[str, str | None] | None = None, **fields: Any) -> httpx.Response:
        """One User Analytics event."""
        event = {
            "userId": "user-1",
            "feature": "registration_email",
            "action": "opened",
            "experienceId": "47Gop5",
            "capturedAt": "2026-04-27T13:35:00Z",
        }
        return self.raw_analytics(_merged(event, fields), headers=headers)

    def raw_analytics(
        self, body: Any, *, headers: dict[str, str | None] | None = None, content: bytes | None = None
    ) -> httpx.Response:
        """A body as it is."""
        good = {"x-distinct-api-key": DISTINCT_KEY, "content-type": "application/json"}
        return self._post("/api/v1/user/analytics", body, content, _merged(good, headers or {}))

    def client(
        self,
        operation: str,
        body: Any = None,
        *,
        headers: dict[str, str | None] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """A Client API request."""
        good = {"authorization": f"Bearer {CLIENT_KEY}", "content-type": "application/json"}
        return self._post(f"/api/client/{operation}", body, content, _merged(good, headers or {}))

    def capture(
        self,
        experience_value: str = "fifa-cwc-2025",
        *,
        headers: dict[str, str | None] | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """A photo that somebody viewed."""
        event = {
            "type": "PHOTO_VIEWED_BY_USER",
            "eventValue": "evt-1",
            "recordCapturedAt": "2026-04-27T13:35:00Z",
            "email": "john.doe@example.com",
        }
        good = {"x-distinct-api-key": DISTINCT_KEY, "content-type": "application/json"}
        path = f"/api/v1/analytics/capture/{experience_value}"
        return self._post(path, _merged(event, fields), None, _merged(good, headers or {}))

    def event(
        self,
        event: Any,
        *,
        headers: dict[str, str | None] | None = None,
        user: Any = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """A request to the event/ API."""
        body = _merged({"user": user or {"email": "john.doe@example.com"}, "event": event}, {})
        good = {"authorization": EVENT_KEY, "content-type": "application/json"}
        return self._post("/v1/event/", body, content, _merged(good, headers or {}))

    def metrics(self, *, headers: dict[str, str | None] | None = None, **parameters: Any) -> httpx.Response:
        """A query of the touchpoint scanner metrics: the parameters as they are, without those of None."""
        good = {"x-distinct-api-key": ADMIN_KEY}
        return self.http.get(
            "/v3/touchpoint/metrics", params=_merged(parameters, {}), headers=_merged(good, headers or {})
        )

    def _post(self, path: str, body: Any, content: bytes | None, headers: dict[str, Any]) -> httpx.Response:
        if content is not None:
            return self.http.post(path, content=content, headers=headers)
        content = httpx.Request("POST", "http://loopback", json=body).content
        return self.http.post(path, content=content, headers=headers)


def _merged(good: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


@pytest.fixture
def config() -> SimulatorConfig:
    """Overridden by tests that want another simulator."""
    return SimulatorConfig(
        distinct_api_key=DISTINCT_KEY,
        client_api_key=CLIENT_KEY,
        distinct_admin_api_key=ADMIN_KEY,
        event_api_key=EVENT_KEY,
    )


@pytest.fixture
def simulator(config: SimulatorConfig) -> Iterator[SimulatorThread]:
    with SimulatorThread(config) as thread:
        yield thread


@pytest.fixture
def serving() -> Callable[[SimulatorConfig], AbstractContextManager[Sender]]:
    """Another simulator beside the usual one, for the time of a `with`."""

    @contextmanager
    def serve(config: SimulatorConfig) -> Iterator[Sender]:
        with SimulatorThread(config) as thread:
            sender = Sender(thread.base_url)
            yield sender
            sender.http.close()

    return serve


@pytest.fixture
def remote(simulator: SimulatorThread) -> SimulatorRemote:
    return simulator.remote


@pytest.fixture
def sender(simulator: SimulatorThread) -> Iterator[Sender]:
    sender = Sender(simulator.base_url)
    yield sender
    sender.http.close()
