"""A new connection: the name is looked up, its addresses are tried (RFC 8305), and TLS is spoken where it is due."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable

import aiohappyeyeballs

from consumer.http.connection import Connection
from consumer.http.sender import Failure, FailureKind
from consumer.http.target import Origin

_NEXT_ADDRESS_S = 0.25
"""RFC 8305, 5: how long one address may be silent before the next one is tried beside it."""

_GOODBYE_S = 1.0


async def connect(
    origin: Origin, tls: ssl.SSLContext, make: Callable[[], Connection], timeout_s: float
) -> Connection | Failure:
    """A connection to `origin`, within `timeout_s`, or why there is none: nothing was sent then."""
    try:
        async with asyncio.timeout(timeout_s):
            sock = await _open_socket(origin)
            return await _speak(origin, tls, make, sock)
    except TimeoutError:
        return _failure(FailureKind.TIMEOUT, "timed out")
    except (socket.gaierror, UnicodeError) as error:
        return _failure(FailureKind.DNS, getattr(error, "strerror", None) or "the host's name is not valid")
    except ssl.SSLError as error:
        what = getattr(error, "verify_message", None) or error.reason or "the handshake failed"
        return _failure(FailureKind.TLS, what)
    except _HandshakeError:
        return _failure(FailureKind.TLS, "the receiver ended the connection in the handshake")
    except OSError as error:
        return _failure(FailureKind.CONNECT, os.strerror(error.errno) if error.errno else "failed")


class _HandshakeError(Exception):
    """The connection ended while TLS was agreed upon."""


async def _open_socket(origin: Origin) -> socket.socket:
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(
        origin.host, origin.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )
    task = asyncio.current_task()
    assert task is not None
    cancels = task.cancelling()
    sock: socket.socket | None = None
    try:
        sock = await aiohappyeyeballs.start_connection(
            addresses, happy_eyeballs_delay=_NEXT_ADDRESS_S, interleave=1, loop=loop
        )
    except RuntimeError as error:  # uvloop's, for what is an OSError elsewhere
        raise OSError from error
    finally:
        # Its race hands a cancellation, or our time-out, to the address that has just lost, where it is gone.
        if task.cancelling() > cancels:
            if sock is not None:
                sock.close()
            raise asyncio.CancelledError
    return sock


async def _speak(
    origin: Origin, tls: ssl.SSLContext, make: Callable[[], Connection], sock: socket.socket
) -> Connection:
    loop = asyncio.get_running_loop()
    connection = make()
    try:
        if not origin.is_https:
            await loop.create_connection(lambda: connection, sock=sock)
            return connection
        try:
            await loop.create_connection(
                lambda: connection,
                sock=sock,
                ssl=tls,
                server_hostname=origin.host,
                ssl_shutdown_timeout=_GOODBYE_S,
            )
        except ssl.SSLError:
            raise
        except ConnectionError as error:
            raise _HandshakeError from error
    except BaseException:
        # In this order: a transport that is still there would watch the number of a socket that is another's by then.
        connection.abort()
        sock.close()
        raise
    return connection


def _failure(kind: FailureKind, what: str) -> Failure:
    return Failure(kind, f"connecting: {what}", sent=False)
