"""Every test here runs over each sender, under asyncio and under uvloop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvloop

from consumer.http.httptools_sender import HttptoolsSender
from consumer.http.httpx_sender import HttpxSender
from consumer.http.sender import Sender, SenderPolicy
from tests.contract.senders.authority import Authority
from tests.contract.senders.receiver import Behaviour, Receiver

MakeSender = Callable[..., Sender]
MakeReceiver = Callable[..., Awaitable[Receiver]]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=[HttptoolsSender, HttpxSender], ids=["httptools", "httpx"])
def sender_type(request: pytest.FixtureRequest) -> Callable[[SenderPolicy], Sender]:
    chosen: Callable[[SenderPolicy], Sender] = request.param
    return chosen


@pytest.fixture
async def make_sender(sender_type: Callable[[SenderPolicy], Sender]) -> AsyncIterator[MakeSender]:
    """Makes senders with a policy of the test's own; they are closed at its end."""
    made: list[Sender] = []

    def make(**policy: Any) -> Sender:
        made.append(sender_type(SenderPolicy(**policy)))
        return made[-1]

    yield make
    for sender in made:
        await sender.close()


@pytest.fixture
def sender(make_sender: MakeSender) -> Sender:
    return make_sender(total_timeout_s=20.0, max_body_bytes=1000)


@pytest.fixture
async def receive() -> AsyncIterator[MakeReceiver]:
    """Starts receivers with a behaviour; they are closed at the test's end."""
    started: list[Receiver] = []

    async def start(behaviour: Behaviour, **kwargs: Any) -> Receiver:
        started.append(await Receiver(behaviour, **kwargs).start())
        return started[-1]

    yield start
    for receiver in started:
        await receiver.close()


@pytest.fixture
def refused_port() -> Iterator[int]:
    """A loopback port that is taken, so that nobody else gets it, but on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture(scope="session")
def foreign_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("foreign"))


@pytest.fixture(autouse=True)
def system_trust(monkeypatch: pytest.MonkeyPatch, foreign_authority: Authority) -> None:
    """A system that trusts one authority: to read a real one's hundreds takes longer than most tests."""
    monkeypatch.setenv("SSL_CERT_FILE", foreign_authority.ca_file)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))
