"""The proxy does what it says: else a test behind it would show nothing."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.link import Link
from tests.faults.network import (
    ANSWERS,
    BlackHole,
    Clear,
    Cut,
    Delay,
    HalfOpen,
    Reset,
    Throttle,
    Towards,
    Truncate,
)
from tests.faults.proxy import FaultProxy
from tests.listener import Listener

HELD_S = 0.2


class Echo:
    """A server that sends back what it gets, and counts it."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.received = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65_536):
                    self.received += len(data)
                    connection.sendall(data)
            except OSError:
                return

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[FaultProxy]:
    with FaultProxy(echo.address) as proxy:
        yield proxy


def connect(proxy: FaultProxy) -> socket.socket:
    host, _, port = proxy.address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=5.0)


def ask(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    got = b""
    while len(got) < len(data) and (piece := connection.recv(65_536)):
        got += piece
    return got


def connect_and_ask(proxy: FaultProxy) -> None:
    """The reset comes while connecting, or with the first answer."""
    with connect(proxy) as connection:
        ask(connection, b"a")
        connection.recv(1)


def silent(connection: socket.socket) -> bool:
    connection.settimeout(HELD_S)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(5.0)
    return False


def test_without_a_fault_everything_passes(proxy: FaultProxy) -> None:
    with connect(proxy) as one, connect(proxy) as other:
        large = b"x" * 1_000_000
        assert (ask(one, b"a"), ask(other, b"b")) == (b"a", b"b")
        sender = threading.Thread(target=one.sendall, args=(large,))
        sender.start()
        got = 0
        while got < len(large):
            got += len(one.recv(65_536))
        sender.join()

        assert proxy.connections == [1, 2]
        assert proxy.passed_bytes(Towards.SERVER) == len(large) + 2


def test_a_cut_resets_what_is_open_and_what_connects_until_it_is_cleared(proxy: FaultProxy) -> None:
    with connect(proxy) as open_before:
        assert ask(open_before, b"a") == b"a"
        proxy.inflict(Cut())
        with pytest.raises(ConnectionResetError):
            open_before.recv(1)
    with pytest.raises(ConnectionError):
        connect_and_ask(proxy)

    proxy.clear()

    with connect(proxy) as again:
        assert ask(again, b"b") == b"b"


def test_a_black_hole_for_answers_lets_requests_arrive_and_gives_the_answers_when_it_ends(
    proxy: FaultProxy, echo: Echo
) -> None:
    with connect(proxy) as client:
        proxy.inflict(BlackHole(ANSWERS))
        client.sendall(b"abc")
        assert silent(client)
        assert echo.received == 3

        proxy.clear()

        assert client.recv(10) == b"abc"


def test_a_black_hole_swallows_both_ways_and_the_close(proxy: FaultProxy, echo: Echo) -> None:
    with connect(proxy) as client:
        assert ask(client, b"a") == b"a"
        proxy.inflict(BlackHole())
        client.sendall(b"bc")
        client.shutdown(socket.SHUT_WR)
        assert silent(client)
        assert echo.received == 1

        proxy.clear()

        assert client.recv(10) == b"bc"
        assert client.recv(10) == b""


def test_half_open_connections_are_silent_and_stay_dead_while_new_ones_live(proxy: FaultProxy) -> None:
    with connect(proxy) as old:
        assert ask(old, b"a") == b"a"
        proxy.inflict(HalfOpen())
        old.sendall(b"b")
        assert silent(old)

        proxy.clear()

        with connect(proxy) as new:
            assert ask(new, b"c") == b"c"
        assert silent(old)


@pytest.mark.parametrize("fault", [Truncate(after_bytes=4), Reset(after_bytes=4)])
def test_after_so_many_bytes_of_an_answer_the_connection_ends(
    proxy: FaultProxy, echo: Echo, fault: Truncate | Reset
) -> None:
    with connect(proxy) as client:
        proxy.inflict(fault)
        client.sendall(b"0123456789")
        got = b""
        try:
            while piece := client.recv(100):
                got += piece
            ended = "closed"
        except ConnectionResetError:
            ended = "reset"

    assert ended == ("closed" if isinstance(fault, Truncate) else "reset")
    assert got == b"0123" or (ended == "reset" and got == b"")  # a reset may overtake what came before it
    assert echo.received == 10


def test_a_delay_holds_each_way_and_a_throttle_counts_bytes(proxy: FaultProxy) -> None:
    with connect(proxy) as client:
        proxy.inflict(Delay(HELD_S))
        began_s = time.monotonic()
        assert ask(client, b"a") == b"a"
        assert time.monotonic() - began_s >= 2 * HELD_S

        proxy.inflict(Throttle(bytes_per_s=100.0, ways=ANSWERS))
        began_s = time.monotonic()
        assert ask(client, b"b" * 20) == b"b" * 20
        assert time.monotonic() - began_s >= HELD_S / 2


def test_one_connection_can_be_treated_by_itself(proxy: FaultProxy) -> None:
    with connect(proxy) as first:
        proxy.inflict(BlackHole())
        first.sendall(b"1")
        with connect(proxy) as second:
            second.sendall(b"2")
            assert silent(second)
            number, _ = proxy.connections
            proxy.inflict_on(number, Delay(0.0))

            assert first.recv(1) == b"1"
            assert silent(second)


def test_a_server_that_is_not_there_resets_the_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"127.0.0.1:{gone.getsockname()[1]}"

    with FaultProxy(address) as proxy, pytest.raises(ConnectionResetError):
        connect_and_ask(proxy)


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_that_is_cut_while_the_server_is_being_reached_leaves_none_to_it(
    turns: int,
) -> None:
    """In whichever turn of the event loop."""
    served: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            served.append(await reader.read())
        except ConnectionError:
            served.append(b"")

    server, waiting = await Listener(serve).start(), asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link((reader, writer), Clear(), None)
        running = asyncio.ensure_future(link.run("127.0.0.1", server.port))
        for _ in range(turns):
            await asyncio.sleep(0)
        link.inflict(Cut())
        await running
        waiting.set()

    front = await Listener(hold).start()
    with socket.create_connection(("127.0.0.1", front.port)):
        await asyncio.wait_for(waiting.wait(), 20.0)
        async with asyncio.timeout(20.0):
            while server.open_connections:  # noqa: ASYNC110 - it is the server's count, which sets no event
                await asyncio.sleep(0.01)
    await front.close()
    await server.close()
    assert not any(served)
