"""The server of the tests leaves no connection open, whenever it is closed."""

import asyncio
import gc
import socket

import pytest

from tests.listener import Listener


@pytest.mark.parametrize("turns", range(8))
async def test_a_connection_that_is_just_being_accepted_is_closed_too(turns: int) -> None:
    """In whichever turn of the event loop: of asyncio's own server two of them leave it open for good."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    listener = await Listener(serve).start()
    with socket.create_connection(("127.0.0.1", listener.port)) as client:
        for _ in range(turns):
            await asyncio.sleep(0)
        await listener.close()

        client.settimeout(10.0)
        assert _rest(client) == b""
    gc.collect()  # what was forgotten would be told here, and warnings are errors


def _rest(client: socket.socket) -> bytes:
    try:
        return client.recv(1)
    except ConnectionError:
        return b""
