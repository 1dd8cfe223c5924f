"""The admin port, asked over HTTP."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from consumer.admin.answers import Answers
from consumer.admin.server import AdminPolicy, AdminServer
from consumer.core.books import Books
from consumer.errors import ConfigurationError
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.snapshot import Snapshot

PATHS = ["/", "/live", "/ready", "/metrics", "/status"]


class Process:
    """A process whose state the test chooses."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {"consumed": 3, "balanced": True, "destinations": {}}
        self.is_live = (True, "ok")
        self.is_ready = (True, "ok")
        self.ready_delay_s = 0.0
        self.fault: Exception | None = None

    def status(self) -> dict[str, Any]:
        if self.fault is not None:
            raise self.fault
        return self.document

    def live(self) -> tuple[bool, str]:
        return self.is_live

    async def ready(self) -> tuple[bool, str]:
        await asyncio.sleep(self.ready_delay_s)
        return self.is_ready


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def policy() -> AdminPolicy:
    return AdminPolicy(timeout_s=2.0, linger_s=0.2, max_connections=4)


@pytest.fixture
async def address(process: Process, policy: AdminPolicy) -> AsyncIterator[tuple[str, int]]:
    metrics = Metrics()
    metrics.read_from(lambda: Snapshot(books=Books(consumed=3, settled=3), destinations={}))
    server = AdminServer(Answers(process, metrics, ready_timeout_s=0.1), "127.0.0.1", 0, policy)
    yield await server.start()
    await server.stop()


@pytest.fixture
async def client(address: tuple[str, int]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://{address[0]}:{address[1]}") as client:
        yield client


async def test_live_says_whether_the_process_turns(client: httpx.AsyncClient, process: Process):
    answer = await client.get("/live")
    assert (answer.status_code, answer.json()) == (200, {"live": True, "reason": "ok"})
    process.is_live = (False, "the Kafka thread stands")
    answer = await client.get("/live")
    assert (answer.status_code, answer.json()["reason"]) == (503, "the Kafka thread stands")


async def test_ready_says_what_is_missing(client: httpx.AsyncClient, process: Process):
    assert (await client.get("/ready")).status_code == 200
    process.is_ready = (False, "has not joined the group yet")
    answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reason": "has not joined the group yet"}


async def test_a_ledger_that_hangs_means_not_ready_and_soon(client: httpx.AsyncClient, process: Process):
    process.ready_delay_s = 60
    answer = await client.get("/ready")
    assert answer.status_code == 503
    assert "0.1 s" in answer.json()["reason"]


async def test_status_is_the_processes_document(client: httpx.AsyncClient, process: Process):
    process.document["destinations"]["ua"] = {"state": "halted", "reason": "401: key refused"}
    answer = await client.get("/status?pretty")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == process.document


async def test_metrics_are_in_the_format_that_is_asked_for(client: httpx.AsyncClient):
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "distinct_consumer_records_consumed_total 3.0" in answer.text
    answer = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")


async def test_the_page_needs_nothing_from_elsewhere_and_runs_only_its_own_script(client: httpx.AsyncClient):
    answer = await client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"(?:src|href)=\"(?!data:|status\")|https?://|@import|url\(", answer.text)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self'")
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/=]{44}'", policy)
    assert "unsafe" not in policy
    assert "innerHTML" not in answer.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_nothing_can_be_changed_through_it(client: httpx.AsyncClient, method: str, path: str):
    answer = await client.request(method, path, content=b"x" * 1000)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", PATHS)
async def test_head_gives_the_headers_of_get(client: httpx.AsyncClient, path: str):
    answer = await client.head(path)
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("path", ["/nothing", "/live/", "/../etc/passwd", "/%6cive", "/admin"])
async def test_other_paths_are_not_found(client: httpx.AsyncClient, path: str):
    assert (await client.get(path)).status_code == 404


async def test_a_fault_is_not_told_to_the_client_and_the_port_goes_on(
    client: httpx.AsyncClient, process: Process, caplog: pytest.LogCaptureFixture
):
    process.fault = RuntimeError("canary")
    answer = await client.get("/status")
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert "could not answer" in caplog.text
    process.fault = None
    assert (await client.get("/status")).status_code == 200


async def exchange(address: tuple[str, int], *parts: bytes) -> bytes:
    """What comes back for these raw bytes until the server closes."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_request_may_come_in_pieces(address: tuple[str, int]):
    answer = await exchange(address, b"GET /li", b"ve HTTP/1.1\r\nHost: x\r\n", b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /live HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000, b"431"),
        (b"GET /" + b"a" * 20_000, b"431"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /live HTTP/1.1\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"400"),
        (b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
    ],
)
async def test_what_is_too_large_or_no_request_is_refused(
    address: tuple[str, int], raw: bytes, status: bytes
):
    assert (await exchange(address, raw)).startswith(b"HTTP/1.1 " + status)


async def test_a_client_that_drips_is_cut_off_and_holds_nobody_up(
    address: tuple[str, int], client: httpx.AsyncClient
):
    reader, writer = await asyncio.open_connection(*address)
    started_s = time.monotonic()
    writer.write(b"GET /live HTTP/1.1\r\n")
    assert (await client.get("/live")).status_code == 200
    assert await asyncio.wait_for(_until_closed(reader), 20) == b""
    assert time.monotonic() - started_s < 15
    writer.close()


async def _until_closed(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_connections_are_bounded_and_silent_ones_cannot_keep_a_probe_out(
    address: tuple[str, int], client: httpx.AsyncClient
):
    idle = [await asyncio.open_connection(*address) for _ in range(4)]
    await asyncio.sleep(0.05)
    assert (await client.get("/live")).status_code == 200
    assert await asyncio.wait_for(_until_closed(idle[0][0]), 1.5) == b""
    assert not any(reader.at_eof() for reader, _ in idle[1:])
    for _, writer in idle:
        writer.close()


async def test_of_a_burst_the_oldest_are_closed_too(address: tuple[str, int]):
    """They all wait for the event loop's next turn: what is closed for a later one has not even begun."""
    burst = [socket.create_connection(address) for _ in range(20)]
    try:
        await _until(lambda: len([end for end in burst if not _is_closed(end)]) <= 4)
    finally:
        for end in burst:
            end.close()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it is the kernel's, which sets no event
            await asyncio.sleep(0.01)


def _is_closed(end: socket.socket) -> bool:
    end.setblocking(False)
    try:
        return end.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize("turns", range(6))
async def test_stopping_ends_what_has_not_begun(process: Process, turns: int):
    """In whichever turn of the event loop: being accepted, about to be served, or served."""
    server = AdminServer(Answers(process, Metrics()), "127.0.0.1", 0)
    late = socket.create_connection(await server.start())
    try:
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.stop()
        await _until(lambda: _is_closed(late))
    finally:
        late.close()


async def test_stopping_ends_open_connections_and_frees_the_port(process: Process):
    server = AdminServer(Answers(process, Metrics()), "127.0.0.1", 0)
    address = await server.start()
    reader, writer = await asyncio.open_connection(*address)
    await asyncio.sleep(0.05)
    await asyncio.wait_for(server.stop(), 20)
    await server.stop()
    assert await asyncio.wait_for(_until_closed(reader), 20) == b""
    writer.close()
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(address)


async def test_a_port_that_is_taken_is_one_clear_message(process: Process, address: tuple[str, int]):
    with pytest.raises(
        ConfigurationError, match=rf"ADMIN_LISTEN: 127\.0\.0\.1:{address[1]}: .*choose another"
    ):
        await AdminServer(Answers(process, Metrics()), *address).start()
