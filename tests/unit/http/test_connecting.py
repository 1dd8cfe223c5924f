"""What an address that leads nowhere costs: another of the name's is tried beside it."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohappyeyeballs
import pytest
import uvloop

from consumer.http.connecting import connect
from consumer.http.connection import Connection
from consumer.http.httptools_sender import HttptoolsSender
from consumer.http.sender import Answer, Failure, FailureKind, SenderPolicy
from consumer.http.target import Origin
from consumer.http.trust import tls_context
from tests.contract.senders.authority import Authority
from tests.contract.senders.receiver import Receiver, Seen, Wire, answering, response


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path)


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
    connection = await reach(monkeypatch, silent[0].getsockname()[1], receiver.port, timeout_s=60.0)

    assert isinstance(connection, Connection)
    assert time.monotonic() - began_s < 20.0
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


async def test_a_time_out_that_the_race_for_an_address_swallows_still_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As aiohappyeyeballs 2.7 does while it awaits the end of the address that lost."""
    late = socket.socket()

    async def swallow(*_: Any, **__: Any) -> socket.socket:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(10.0)
        return late

    monkeypatch.setattr(aiohappyeyeballs, "start_connection", swallow)

    failure = await reach(monkeypatch, 1, timeout_s=0.1)

    assert failure == Failure(FailureKind.TIMEOUT, "connecting: timed out", sent=False)
    assert late.fileno() == -1, "and it is closed"


@pytest.mark.parametrize("then", ["cut", "closed"])
async def test_over_tls_an_end_counts_only_with_its_closure_alert(authority: Authority, then: str) -> None:
    """An answer without a length ends with the connection, and anybody on the way can end that."""

    async def say(wire: Wire, seen: Seen) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        if then == "cut":
            wire.writer.transport.abort()
        else:
            wire.writer.close()

    receiver = await Receiver(say, tls=authority.server_context()).start()
    sender = HttptoolsSender(SenderPolicy(ca_file=authority.ca_file))

    result = await sender.post(receiver.url(), {}, b"")

    if then == "cut":
        assert isinstance(result, Failure)
        assert (result.kind, result.sent) == (FailureKind.RESET, True)
    else:
        assert result == Answer(200, {}, b"half")
    await sender.close()
    await receiver.close()


def listen(serve: Callable[[socket.socket], None]) -> socket.socket:
    """A receiver in threads of its own: the event loop may be kept from turning meanwhile."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener


async def test_a_time_out_in_the_moment_in_which_tls_is_agreed_upon_spoils_no_other_connection(
    authority: Authority,
) -> None:
    """The number of a socket that is closed is another's at once: whoever still watches it takes that one's bytes."""
    context, over = authority.server_context(), threading.Event()

    def shake_hands(client: socket.socket) -> None:
        time.sleep(0.1)
        with suppress(OSError), client, context.wrap_socket(client, server_side=True):
            over.wait(10.0)  # in no hurry to say goodbye

    def acknowledge(client: socket.socket) -> None:
        with suppress(OSError), client:
            while client.recv(65536):
                client.sendall(response(200, b"ok"))

    slow, honest = listen(shake_hands), listen(acknowledge)
    tls, sender = tls_context(authority.ca_file), HttptoolsSender(SenderPolicy())
    # The handshake ends, and the time is up, while something else keeps the loop.
    asyncio.get_running_loop().call_later(0.05, time.sleep, 0.3)

    first = await connect(Origin("127.0.0.1", slow.getsockname()[1], True), tls, make, 0.2)
    url = f"http://127.0.0.1:{honest.getsockname()[1]}/"
    results = await asyncio.gather(*(sender.post(url, {}, b"") for _ in range(3)))

    assert first == Failure(FailureKind.TIMEOUT, "connecting: timed out", sent=False)
    assert results == [Answer(200, {}, b"ok")] * 3
    await sender.close()
    over.set()
    slow.close()
    honest.close()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_plain_request_is_on_its_way_before_the_event_loop_turns(run: Callable[..., None]) -> None:
    """A process that is frozen later in this turn has sent it, and does not send it when it wakes."""
    run(send_and_look())


async def send_and_look() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = await connect(
            Origin("127.0.0.1", listener.getsockname()[1], False), tls_context(None), make, 5.0
        )
        assert isinstance(connection, Connection)
        receiver, _ = listener.accept()
        with receiver:
            receiver.settimeout(2.0)
            answer = connection.exchange(b"POST / HTTP/1.1\r\n\r\n", b"")
            assert receiver.recv(100) == b"POST / HTTP/1.1\r\n\r\n"
        connection.abort()
        assert isinstance(await answer, Failure)
