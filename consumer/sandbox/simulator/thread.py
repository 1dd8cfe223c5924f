"""The simulator in a thread of this process, for tests that are not asynchronous themselves."""

import asyncio
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from consumer.sandbox.simulator.config import SimulatorConfig
from consumer.sandbox.simulator.remote import SimulatorRemote
from consumer.sandbox.simulator.server import SimulatorServer, serve


class SimulatorThread:
    """Within its context the simulator answers. It shares the interpreter: no receiver to measure by."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        self._base_url: Future[str] = Future()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    @property
    def base_url(self) -> str:
        """The root of every API; blocks until it listens. Raises OSError when it cannot."""
        return self._base_url.result()

    @property
    def remote(self) -> SimulatorRemote:
        """Its ledger, faults and outages."""
        return SimulatorRemote(self.base_url)

    def __enter__(self) -> Self:
        self._thread.start()
        self._base_url.result()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(serve(self._config, ready=self._announce, stop=self._stop))
        except OSError as error:
            self._base_url.set_exception(error)
        finally:
            self._loop.close()

    def _announce(self, server: SimulatorServer) -> None:
        self._base_url.set_result(server.base_url)
