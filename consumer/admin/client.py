"""One question to an admin port, every wait and every size bounded."""

import asyncio

import h11
import msgspec

_READ_BYTES = 64 * 1024


class Answer(msgspec.Struct, frozen=True):
    """What the port said."""

    status: int
    body: bytes


async def ask(
    host: str, port: int, path: str, *, timeout_s: float = 2.0, max_bytes: int = 16 * 1024 * 1024
) -> Answer:
    """GET `path`. `timeout_s` bounds all of it, `max_bytes` the body.

    Raises OSError where nobody answers in time (TimeoutError) or at all, or where the answer is too large or none.
    """
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port)
            return await _exchange(reader, writer, f"{host}:{port}", path, max_bytes)
    except h11.ProtocolError as error:
        raise OSError(f"no answer in HTTP: {error}") from None
    finally:
        if writer is not None:
            writer.transport.abort()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, path: str, max_bytes: int
) -> Answer:
    connection = h11.Connection(h11.CLIENT)
    headers = [("Host", host), ("Connection", "close")]
    request = connection.send(h11.Request(method="GET", target=path, headers=headers)) or b""
    writer.write(request + (connection.send(h11.EndOfMessage()) or b""))
    await writer.drain()
    status, body = 0, bytearray()
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(_READ_BYTES))
            case h11.Response() as response:
                status = response.status_code
            case h11.Data() as data:
                body += data.data
                if len(body) > max_bytes:
                    raise OSError(f"the answer is larger than {max_bytes} bytes")
            case h11.EndOfMessage():
                return Answer(status, bytes(body))
            case h11.ConnectionClosed():
                raise OSError("the answer broke off")
