"""What an address that leads nowhere costs: another of the name's is tried beside it."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from consumer.http.connecting import connect
from consumer.http.connection import Connection
from consumer.http.sender import Failure, FailureKind
from consumer.http.target import Origin
from consumer.http.trust import tls_context
from tests.contract.senders.receiver import Receiver, answering, response


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def full_backlog() -> list[socket.socket]:
    """A listener that takes no more connections: who comes next hears nothing, as of an address that leads nowhere."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(3):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        waiting.append(client)
    return [listener, *waiting]


def lead_to(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """A name with these addresses, in this order."""

    async def addresses(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", one)) for one in ports]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", addresses, raising=False)


def make() -> Connection:
    return Connection(1000, lambda connection: None)


async def reach(monkeypatch: pytest.MonkeyPatch, *ports: int, timeout_s: float = 5.0) -> Connection | Failure:
    lead_to(monkeypatch, *ports)
    return await connect(Origin("many.example", 80, False), tls_context(None), make, timeout_s)


async def test_an_address_that_is_silent_does_not_keep_the_next_one_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver = await Receiver(answering(response(200, b"ok"))).start()
    silent = full_backlog()

    began_s = time.monotonic()
    connection = await reach(monkeypatch, silent[0].getsockname()[1], receiver.port)

    assert isinstance(connection, Connection)
    assert time.monotonic() - began_s < 3.0
    connection.abort()
    await receiver.close()
    for one in silent:
        one.close()


async def test_an_address_that_refuses_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = await Receiver(answering(response(200, b"ok"))).start()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        connection = await reach(monkeypatch, taken.getsockname()[1], receiver.port)

    assert isinstance(connection, Connection)
    connection.abort()
    await receiver.close()


async def test_where_none_answers_in_time_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = full_backlog()

    failure = await reach(monkeypatch, silent[0].getsockname()[1], timeout_s=0.3)

    assert failure == Failure(FailureKind.TIMEOUT, "connecting: timed out", sent=False)
    for one in silent:
        one.close()


async def test_a_name_that_can_be_none_is_a_name_that_is_not_known() -> None:
    failure = await connect(Origin("a" * 70 + ".example", 80, False), tls_context(None), make, 5.0)

    assert isinstance(failure, Failure)
    assert (failure.kind, failure.sent) == (FailureKind.DNS, False)
