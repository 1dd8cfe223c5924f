"""Nothing but the one request leaves, and nothing outside of the policy steers where it goes."""

from pathlib import Path

import pytest

from consumer.http.sender import Sender
from tests.contract.senders.conftest import MakeReceiver, MakeSender
from tests.contract.senders.receiver import answering, response
from tests.contract.senders.results import BODY, HEADERS, PATH, answer_of

_PROXY_SETTINGS = ("http_proxy", "https_proxy", "all_proxy")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(
    sender: Sender, receive: MakeReceiver, status: int
) -> None:
    elsewhere = await receive(answering(response(200, b"false acknowledgement")))
    receiver = await receive(answering(response(status, b"", f"Location: {elsewhere.url()}")))

    answer = answer_of(await sender.post(receiver.url(PATH), HEADERS, BODY))

    assert answer.status == status
    assert len(receiver.seen) == 1
    assert elsewhere.connections == 0


async def test_a_redirect_to_the_same_receiver_is_not_followed(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(answering(response(307, b"", "Location: /v2/events")))

    assert answer_of(await sender.post(receiver.url(PATH), HEADERS, BODY)).status == 307

    assert [seen.target for seen in receiver.seen] == [PATH]


async def test_proxies_in_the_environment_are_ignored(
    make_sender: MakeSender, receive: MakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = await receive(answering(response(200, b"from the proxy")))
    for name in _PROXY_SETTINGS:
        monkeypatch.setenv(name, proxy.url("/"))
        monkeypatch.setenv(name.upper(), proxy.url("/"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    receiver = await receive(answering(response(200, b"from the receiver")))

    answer = answer_of(await make_sender().post(receiver.url(PATH), HEADERS, BODY))

    assert answer.body == b"from the receiver"
    assert proxy.connections == 0


async def test_a_netrc_file_adds_no_credentials(
    make_sender: MakeSender, receive: MakeReceiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password something\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    receiver = await receive(answering(response(200)))

    answer_of(await make_sender().post(receiver.url(), {}, b""))

    assert "authorization" not in receiver.seen[0].headers


async def test_a_cookie_is_not_given_back(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(answering(response(200, b"", "Set-Cookie: session=1; Path=/")))

    for _ in range(2):
        answer_of(await sender.post(receiver.url(), {}, b""))

    assert [seen.headers.get("cookie") for seen in receiver.seen] == [None, None]


async def test_a_post_leaves_no_log_line_with_its_url(
    sender: Sender, receive: MakeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = await receive(answering(response(200)))

    with caplog.at_level("INFO"):
        answer_of(await sender.post(receiver.url(PATH), HEADERS, BODY))

    assert caplog.records == []
