"""The simulator's page in a browser: traffic as it comes, and never a key."""

import httpx
import pytest

from consumer.sandbox.simulator import Outage, SimulatorConfig, SimulatorThread
from tests.e2e.browser import watched_page

pytestmark = pytest.mark.browser

_KEY = "a-key-that-must-not-show"


def test_the_page_shows_requests_as_they_come_and_never_a_key() -> None:
    config = SimulatorConfig(distinct_api_key=_KEY, client_api_key="pk_client")
    with SimulatorThread(config) as simulator, watched_page() as page:
        page.goto(f"{simulator.base_url}/_simulator/")
        page.wait_for_selector("#state.good")
        assert page.inner_text("#traffic") == "No such request yet."

        headers = {"x-distinct-api-key": _KEY}
        hostile = "<img src=http://elsewhere.invalid onerror=alert(1)>"
        with httpx.Client(base_url=simulator.base_url, trust_env=False, verify=False) as sender:
            event = {
                "userId": hostile,
                "feature": "page_visit",
                "action": "viewed",
                "experienceId": "47Gop5",
                "capturedAt": "2026-04-27T13:35:00Z",
            }
            sender.post("/api/v1/user/analytics", json=event, headers=headers)
            sender.post("/api/v1/user/analytics", json=event | {"userId": "unknown-1"}, headers=headers)
        page.wait_for_selector("#traffic tbody tr:nth-child(2)")

        rows = [row.inner_text().split("\t") for row in page.query_selector_all("#traffic tbody tr")]
        assert [row[1:] for row in rows] == [
            ["user_analytics", "POST /api/v1/user/analytics", "400", "", "User not found.", ""],
            ["user_analytics", "POST /api/v1/user/analytics", "200", "1", "page_visit/viewed", hostile],
        ]
        assert _KEY not in page.content()

        simulator.remote.declare({"event_api": Outage(status=503)})
        page.wait_for_selector("text=answers 503")
        page.check("#refused")
        assert len(page.query_selector_all("#traffic tbody tr")) == 1


def test_the_page_fits_a_phone() -> None:
    config = SimulatorConfig(distinct_api_key=_KEY, client_api_key="pk_client")
    with SimulatorThread(config) as simulator, watched_page() as page:
        page.set_viewport_size({"width": 360, "height": 740})
        page.goto(f"{simulator.base_url}/_simulator/")
        page.wait_for_selector("#apis td")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
