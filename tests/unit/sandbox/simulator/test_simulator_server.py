"""The simulator in an event loop of one's own, and its HTTP."""

import asyncio
import contextlib
import socket

import httpx
import msgspec
import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan, SimulatorServer, serve


async def test_serve_announces_its_address_and_ends_when_told(config):
    stop = asyncio.Event()
    ready: asyncio.Future[SimulatorServer] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(config, ready=ready.set_result, stop=stop))
    server = await ready
    async with httpx.AsyncClient(base_url=server.base_url, trust_env=False) as client:
        assert (await client.get("/_simulator/ledger")).status_code == 200
        stop.set()
        await task
        with pytest.raises(httpx.TransportError):
            await client.get("/_simulator/ledger")


async def test_a_cancelled_serve_stops_listening(config):
    ready: asyncio.Future[SimulatorServer] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(config, ready=ready.set_result))
    base_url = (await ready).base_url
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(base_url)


async def test_stopping_does_not_wait_for_delayed_requests(config):
    slow = msgspec.structs.replace(config, faults=FaultPlan(user_analytics=ApiFaults(latency_ms=600_000)))
    async with SimulatorServer(slow) as server, httpx.AsyncClient(trust_env=False) as client:
        asking = asyncio.create_task(client.post(server.base_url + "/api/v1/user/analytics"))
        while server.ledger.report().user_analytics.requests == 0:
            await client.get(server.base_url + "/_simulator/ledger")
        await asyncio.wait_for(server.stop(), timeout=30)
        with pytest.raises(httpx.TransportError):
            await asking


@pytest.mark.parametrize("turns", range(6))
async def test_stopping_closes_what_is_just_coming_in(config, turns):
    """In whichever turn of the event loop: being accepted, or served."""
    server = SimulatorServer(config)
    await server.start()
    address = httpx.URL(server.base_url)
    with socket.create_connection((address.host, address.port), timeout=10.0) as late:
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.stop()

        with contextlib.suppress(ConnectionError):
            assert late.recv(1) == b""


async def test_a_taken_port_is_an_os_error(config):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await SimulatorServer(msgspec.structs.replace(config, port=taken.getsockname()[1])).start()


def test_one_connection_serves_many_requests(simulator, sender):
    addresses = set()
    for _ in range(5):
        response = sender.analytics()
        addresses.add(response.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(addresses) == 1


def test_a_chunked_body_is_read_whole(sender, remote):
    def pieces():
        yield b'[{"external_id": "user-1", '
        yield b'"name": "Opened"}]'

    response = sender.http.post(
        "/api/client/events",
        content=pieces(),
        headers={"authorization": "Bearer pk_public-key", "content-type": "application/json"},
    )
    assert response.status_code == 204
    assert remote.report().client_api.accepted == 1
