"""Whom a sender believes."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from consumer.errors import ConfigurationError
from consumer.http.sender import FailureKind, Sender, SenderPolicy
from tests.contract.senders.authority import Authority
from tests.contract.senders.conftest import MakeReceiver, MakeSender
from tests.contract.senders.receiver import Seen, Wire, answering, response
from tests.contract.senders.results import BODY, HEADERS, PATH, answer_of, failure_of

TLS, CONNECT, TIMEOUT = FailureKind.TLS, FailureKind.CONNECT, FailureKind.TIMEOUT


async def test_a_certificate_of_a_trusted_authority_is_believed(
    make_sender: MakeSender, receive: MakeReceiver, authority: Authority
) -> None:
    receiver = await receive(answering(response(200, b"ok")), tls=authority.server_context())
    sender = make_sender(ca_file=authority.ca_file)

    for _ in range(2):
        assert answer_of(await sender.post(receiver.url(PATH), HEADERS, BODY)).body == b"ok"

    assert receiver.bodies == [BODY, BODY]
    assert receiver.connections == 1


async def test_every_authority_of_the_file_is_trusted(
    make_sender: MakeSender, receive: MakeReceiver, authority: Authority, tmp_path: Path
) -> None:
    other = Authority.create(tmp_path)
    bundle = Authority.bundle(tmp_path / "bundle.pem", other, authority)
    receiver = await receive(answering(response(200, b"ok")), tls=authority.server_context())

    answer_of(await make_sender(ca_file=bundle).post(receiver.url(PATH), HEADERS, BODY))


async def test_a_certificate_of_an_unknown_authority_is_refused(
    sender: Sender, receive: MakeReceiver, authority: Authority
) -> None:
    receiver = await receive(answering(response(200)), tls=authority.server_context())

    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), TLS, sent=False)

    assert receiver.seen == []


@pytest.mark.parametrize("flaw", [{"ip": "127.0.0.2"}, {"expired": True}], ids=["of another host", "expired"])
async def test_a_certificate_that_does_not_hold_is_refused(
    make_sender: MakeSender, receive: MakeReceiver, authority: Authority, flaw: dict[str, object]
) -> None:
    receiver = await receive(answering(response(200)), tls=authority.server_context(**flaw))  # type: ignore[arg-type]
    sender = make_sender(ca_file=authority.ca_file)

    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), TLS, sent=False)

    assert receiver.seen == []


async def test_a_receiver_without_tls_gets_nothing(sender: Sender, receive: MakeReceiver) -> None:
    async def greet(wire: Wire) -> None:
        await wire.write(response(400, b"this is plain http"))

    receiver = await receive(answering(response(200)), greeting=greet)

    url = receiver.url(PATH).replace("http://", "https://")
    failure_of(await sender.post(url, HEADERS, BODY), TLS, sent=False)

    assert receiver.seen == []


@pytest.mark.parametrize("abrupt", [False, True], ids=["closed", "reset"])
async def test_a_handshake_that_breaks_has_sent_nothing(
    sender: Sender, receive: MakeReceiver, abrupt: bool
) -> None:
    async def hang_up(wire: Wire) -> None:
        await wire.reader.read(1)
        if abrupt:
            wire.reset()
        else:
            wire.writer.close()

    receiver = await receive(answering(response(200)), greeting=hang_up)

    url = receiver.url(PATH).replace("http://", "https://")
    failure_of(await sender.post(url, HEADERS, BODY), TLS, CONNECT, sent=False)


async def test_a_handshake_that_hangs_ends_at_the_connect_timeout(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    async def hang(wire: Wire) -> None:
        await asyncio.sleep(60)

    receiver = await receive(answering(response(200)), greeting=hang)
    sender = make_sender(connect_timeout_s=0.3, total_timeout_s=20)

    url = receiver.url(PATH).replace("http://", "https://")
    failure_of(await sender.post(url, HEADERS, BODY), TIMEOUT, sent=False)


async def test_a_reset_after_the_handshake_may_have_carried_the_request(
    make_sender: MakeSender, receive: MakeReceiver, authority: Authority
) -> None:
    async def hang_up(wire: Wire, seen: Seen) -> None:
        wire.reset()

    receiver = await receive(hang_up, tls=authority.server_context())
    sender = make_sender(ca_file=authority.ca_file)

    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), FailureKind.RESET, sent=True)

    assert receiver.bodies == [BODY]
    assert receiver.connections == 1


async def test_a_system_without_authorities_still_gets_a_sender(
    make_sender: MakeSender, receive: MakeReceiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    receiver = await receive(answering(response(200)))

    answer_of(await make_sender().post(receiver.url(), {}, b""))


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"], ids=["missing", "empty", "false"])
async def test_a_ca_file_without_certificates_is_a_configuration_error(
    sender_type: Callable[[SenderPolicy], Sender], tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"ca_file .*ca\.pem"):
        sender_type(SenderPolicy(ca_file=str(path)))
