"""How a server stops listening without forgetting who is just coming in."""

import asyncio

_TURNS = 3
"""Of the event loop, from a connection's being accepted to its being handed to its protocol."""


async def stop_listening(server: asyncio.Server) -> None:
    """Accept nothing more, and close the server when whoever was being accepted has come to its protocol.

    asyncio's own `close` forgets these (Python 3.11), and their sockets stay open for as long as the process lives.
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())  # of uvloop's nothing, which accepts in one step
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    server.close()
