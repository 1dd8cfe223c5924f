"""The admin port of a run, asked as Prometheus, Kubernetes and people ask it."""

import json
from typing import Any

import httpx

from tests.e2e.command import Running
from tests.integration.processes import ConsumerProcess, wait_until


class AdminPort:
    """Of a run with logs as JSON; found by the address that it logs when it has started."""

    def __init__(self, process: ConsumerProcess | Running) -> None:
        self._process = process
        self._base_url = ""

    def get(self, path: str) -> httpx.Response:
        """Waits for the port at first."""
        if not self._base_url:
            wait_until(lambda: '"admin"' in self._process.stderr, 30.0, lambda: self._process.stderr)
            line = next(line for line in self._process.stderr.splitlines() if '"admin"' in line)
            self._base_url = f"http://{json.loads(line)['admin']}"
        return httpx.get(self._base_url + path, trust_env=False)

    @property
    def url(self) -> str:
        """Of the page."""
        self.get("/live")
        return f"{self._base_url}/"

    @property
    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = self.get("/status").json()
        return document

    def state_of(self, destination: str) -> tuple[str, str]:
        """(state, reason)"""
        one = self.status["destinations"][destination]
        return one["state"], one["reason"]
