"""The simulator as a process: the first line of its standard input configures it, the end of input ends it.

Started by SimulatorProcess; the command for people is `distinct-consumer simulate`.
"""

import asyncio
import os
import sys

import msgspec
import uvloop

from consumer.sandbox.simulator.config import SimulatorConfig
from consumer.sandbox.simulator.process import Ready
from consumer.sandbox.simulator.server import SimulatorServer, serve

_STDIN, _STDOUT = 0, 1


def main() -> int:
    """Gives the exit code: 0 after a stop, 1 without the address, 2 for a configuration that is none."""
    try:
        config = msgspec.json.decode(sys.stdin.buffer.readline(), type=SimulatorConfig)
    except msgspec.MsgspecError as error:
        print(
            f"simulator: the first line of its input must be its configuration as JSON: {error}",
            file=sys.stderr,
        )
        return 2
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve_until_input_ends(config))
    except OSError as error:
        print(f"simulator: cannot listen on {config.host}:{config.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


async def _serve_until_input_ends(config: SimulatorConfig) -> None:
    stop = asyncio.Event()

    def on_input() -> None:
        if not os.read(_STDIN, 4096):
            stop.set()

    asyncio.get_running_loop().add_reader(_STDIN, on_input)
    await serve(config, ready=_announce, stop=stop)
    asyncio.get_running_loop().remove_reader(_STDIN)


def _announce(server: SimulatorServer) -> None:
    os.write(_STDOUT, msgspec.json.encode(Ready(server.base_url)) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
