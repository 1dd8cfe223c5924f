"""The simulator on a socket, in the caller's event loop."""

import asyncio
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Self

from consumer.clock import Clock, SystemClock
from consumer.listening import stop_listening
from consumer.sandbox.simulator.api import Api
from consumer.sandbox.simulator.application import SimulatorApplication
from consumer.sandbox.simulator.capture_analytics import CaptureAnalytics
from consumer.sandbox.simulator.client_api import ClientApi
from consumer.sandbox.simulator.config import SimulatorConfig
from consumer.sandbox.simulator.connection import Connection
from consumer.sandbox.simulator.control import ControlPlane
from consumer.sandbox.simulator.distinct_access import DistinctAccess
from consumer.sandbox.simulator.event_api import EventApi
from consumer.sandbox.simulator.state import SimulatorState
from consumer.sandbox.simulator.touchpoint_metrics import TouchpointMetrics
from consumer.sandbox.simulator.user_analytics import UserAnalytics


class SimulatorServer:
    """One simulator. `ledger` and `misfortune` may be used directly, from its own event loop."""

    def __init__(self, config: SimulatorConfig, *, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        state = SimulatorState.of(config, clock)
        self.ledger = state.ledger
        self.misfortune = state.misfortune
        self._application = SimulatorApplication(
            apis=_apis(config, state),
            ledger=state.ledger,
            traffic=state.traffic,
            misfortune=state.misfortune,
            control=ControlPlane(state, clock),
            clock=clock,
        )
        self._config = config
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self.base_url = ""
        """The root of every API and of the control paths; known once it has started."""

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        config = self._config
        self._server = await asyncio.get_running_loop().create_server(
            self._connection, config.host, config.port, family=_family(config.host), backlog=2048
        )
        port = self._server.sockets[0].getsockname()[1]
        host = f"[{config.host}]" if ":" in config.host else config.host
        self.base_url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Close every connection at once, also those whose request is not answered yet."""
        if self._server is None:
            return
        await stop_listening(self._server)
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    def _connection(self) -> Connection:
        return Connection(self._application, self._connections)


async def serve(
    config: SimulatorConfig,
    *,
    ready: Callable[[SimulatorServer], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until `stop` is set or the task is cancelled; `ready` is called once it listens.

    Signals are left to the caller. Raises OSError when the port is taken.
    """
    async with SimulatorServer(config) as server:
        if ready is not None:
            ready(server)
        await (stop or asyncio.Event()).wait()


def _apis(config: SimulatorConfig, state: SimulatorState) -> list[Api]:
    shared = DistinctAccess(api_key=config.distinct_api_key, allowed_ips=config.allowed_ips)
    admin = DistinctAccess(api_key=config.distinct_admin_api_key, allowed_ips=config.allowed_ips)
    world = state.world
    return [
        UserAnalytics(access=shared, world=world),
        CaptureAnalytics(access=shared, world=world),
        TouchpointMetrics(
            access=admin, scans=state.scans, world=world, experience_pages=config.experience_pages
        ),
        EventApi(api_key=config.event_api_key, world=world, limits=state.limits),
        ClientApi(api_key=config.client_api_key, time_key=config.client_time_key, people=state.people),
    ]


def _family(host: str) -> socket.AddressFamily:
    """A name such as localhost must give one socket, since a free port is found for each socket anew."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET
