"""The simulator's HTTP on the wire, by both event loops that it may run in."""

import re
import socket

import httpx
import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan, SimulatorProcess, SimulatorThread


@pytest.fixture(params=[SimulatorThread, SimulatorProcess])
def simulator(request, config):
    """asyncio's own loop in the thread, uvloop in the process."""
    with request.param(config) as simulator:
        yield simulator


def _exchange(base_url, request):
    url = httpx.URL(base_url)
    received = b""
    with socket.create_connection((url.host, url.port), timeout=10) as connection:
        connection.sendall(request)
        while chunk := connection.recv(65536):
            received += chunk
    return received


def test_pipelined_requests_are_answered_in_order_although_they_are_delayed(simulator, remote):
    remote.follow(FaultPlan(user_analytics=ApiFaults(latency_ms=1, jitter_ms=20)))
    request = b"%s /api/v1/user/analytics HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n%s\r\n"
    closing = request % (b"GET", b"connection: close\r\n")
    received = _exchange(simulator.base_url, request % (b"POST", b"") * 2 + request % (b"PUT", b"") + closing)
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"401", b"401", b"405", b"405"]
    assert remote.report().user_analytics.requests == 4


def test_a_closed_connection_has_no_answer_at_all(simulator, remote):
    remote.follow(FaultPlan(user_analytics=ApiFaults(rate_lost_response=1)))
    request = b"POST /api/v1/user/analytics HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
    assert _exchange(simulator.base_url, request) == b""
    remote.follow(FaultPlan(user_analytics=ApiFaults(rate_drop=1)))
    assert _exchange(simulator.base_url, request) == b""
    report = remote.report().user_analytics
    assert (report.lost_responses, report.dropped, report.answers) == (1, 1, {"401": {"Unauthorized.": 1}})


def test_a_slow_reader_gets_the_whole_list(simulator, sender, remote):
    event = {"external_id": "user-1", "name": "Opened" * 20}
    for _ in range(10):
        sender.client("events", [event] * 2_000)
    url = httpx.URL(simulator.base_url)
    request = b"GET /_simulator/ledger/items?api=client_api HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    received = bytearray()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(10)
        connection.connect((url.host, url.port))
        connection.sendall(request)
        assert sender.analytics().status_code == 200
        while chunk := connection.recv(65536):
            received += chunk
    assert received.count(b'"name":"Opened') == 20_000
    assert received.endswith(b"\r\n0\r\n\r\n")


def test_what_is_no_http_is_refused_and_the_connection_closed(simulator):
    received = _exchange(simulator.base_url, b"nonsense\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in received


def test_a_sender_that_expects_a_continue_gets_one(simulator):
    head = b"POST /api/v1/user/analytics HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n"
    received = _exchange(simulator.base_url, head + b"expect: 100-continue\r\n\r\n{}")
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 ")


def test_nothing_behind_a_request_that_closes_the_connection_takes_effect(simulator, remote):
    request = (
        b"POST /api/v1/user/analytics HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    )
    received = _exchange(simulator.base_url, request * 2)
    assert received.count(b"HTTP/1.1 401") == 1
    assert remote.report().user_analytics.requests == 1
