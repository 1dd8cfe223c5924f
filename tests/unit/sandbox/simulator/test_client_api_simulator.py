"""The simulator's Client API: the server's exact texts, and what it accepts although it should not."""

import gzip
import json
import zlib

import pytest

_EVENT = {"external_id": "user-1", "name": "Product Purchased", "data": {"price": 49.99}}
_DEVICE = {
    "external_id": "user-1",
    "device_id": "5e356e66",
    "os": "iOS 16.3",
    "model": "iPhone15,2",
    "app_build": "465",
    "app_version": "1.2.4",
}


def _without(document, *names):
    return {name: value for name, value in document.items() if name not in names}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("alias", {"anonymous_id": "anonymous-1", "external_id": "user-1"}),
        ("identify", {"external_id": "user-1"}),
        ("identify", {"anonymous_id": "anonymous-1"}),
        (
            "identify",
            {
                "external_id": "user-1",
                "email": "no address",
                "phone": "no number",
                "timezone": "America/Chicago",
                "locale": "en",
                "data": {"first_name": "John", "plan": {"level": 2}},
            },
        ),
        ("identify", {"external_id": "user-1", "email": None, "data": None}),
        ("devices", _DEVICE),
        ("devices", _DEVICE | {"token": None, "os_version": "16.3", "extra": 1}),
        ("events", [_EVENT]),
        ("events", [_without(_EVENT, "data"), {"anonymous_id": "anonymous-1", "name": "Visited"}]),
        ("events", [_EVENT | {"user": {"email": "a@example.org", "data": {"level": 2}}, "created_at": 7}]),
    ],
)
def test_what_the_server_accepts_is_a_204_without_a_body(sender, remote, operation, body):
    known = {"external_id": "user-1"} if operation == "devices" else {"anonymous_id": "anonymous-1"}
    sender.client("identify", known)
    response = sender.client(operation, body)
    assert response.status_code == 204
    assert response.content == b""
    report = remote.report().client_api
    assert report.accepted == 1 + (len(body) if operation == "events" else 1)
    assert report.harmed == {}


@pytest.mark.parametrize(
    ("operation", "body", "text"),
    [
        ("alias", {}, "Must have required property 'external_id'"),
        ("alias", {"external_id": "user-1"}, "Must have required property 'anonymous_id'"),
        ("alias", {"external_id": None, "anonymous_id": "a"}, "The value of `external_id` must be a string."),
        ("identify", {"email": "a@example.org"}, "Must have required property 'anonymous_id'"),
        ("identify", {"external_id": "u", "name": "x"}, "Must NOT have additional properties"),
        ("identify", {"external_id": 5}, "The value of `external_id` must be a string."),
        ("identify", {"external_id": "u", "data": []}, "The value of `data` must be a object."),
        (
            "identify",
            {"external_id": "u", "timezone": "Chicago time"},
            "The timezone value must be in the IANA format.",
        ),
        ("identify", [], "The value of `` must be a object."),
        ("devices", _without(_DEVICE, "external_id"), "Must have required property 'anonymous_id'"),
        ("devices", _without(_DEVICE, "os", "model"), "Must have required property 'os'"),
        ("devices", _DEVICE | {"app_build": 465}, "The value of `app_build` must be a string."),
        ("events", [], "Must NOT have fewer than 1 items"),
        ("events", _EVENT, "The value of `` must be a array."),
        ("events", [_EVENT, 5], "The value of `1` must be a object."),
        ("events", [_EVENT, _without(_EVENT, "external_id")], "Must have required property 'anonymous_id'"),
        ("events", [_EVENT, _without(_EVENT, "name")], "Must have required property 'name'"),
        ("events", [{}], "Must have required property 'anonymous_id'"),
        ("events", [_EVENT] * 3 + [_EVENT | {"name": 5}], "The value of `3/name` must be a string."),
        ("events", [_EVENT | {"name": None}], "The value of `0/name` must be a string."),
        ("events", [_EVENT | {"data": "x"}, {}], "The value of `0/data` must be a object."),
        ("events", [_EVENT | {"user": {"phone": 5}}], "The value of `0/user/phone` must be a string."),
    ],
)
def test_a_refusal_shows_the_servers_first_finding_only(sender, remote, operation, body, text):
    response = sender.client(operation, body)
    assert response.status_code == 422
    assert response.json() == {"status": "error", "error": text}
    assert remote.report().client_api.accepted == 0


@pytest.mark.parametrize(
    "authorization", [None, "", "pk_public-key", "bearer pk_public-key", "Bearer", "Bearer x"]
)
def test_without_a_usable_key_it_is_401_code_1000(sender, authorization):
    response = sender.client("events", [{}], headers={"authorization": authorization})
    assert response.status_code == 401
    assert response.json() == {"status": "error", "error": "Authorization error.", "code": 1000}


@pytest.mark.parametrize("token", ["pk_revoked", "sk_unknown"])
def test_an_unknown_or_revoked_key_is_404_code_6000(sender, token):
    response = sender.client("events", [{}], headers={"authorization": f"Bearer {token}"})
    assert response.status_code == 404
    assert response.json() == {
        "status": "error",
        "error": "The requested project does not exist.",
        "code": 6000,
    }


_UNREADABLE = {"status": "error", "error": "An error occurred with this request."}


@pytest.mark.parametrize("content", [b"[", b"[{}", b'"text"', b"5", b"[NaN]", b'[{"a": 1,}]'])
def test_malformed_json_is_a_400_even_with_a_bad_key(sender, content):
    for headers in ({}, {"authorization": "Bearer pk_revoked"}, {"authorization": None}):
        response = sender.client("events", content=content, headers=headers)
        assert response.status_code == 400
        assert response.json() == _UNREADABLE


def _events_of(size_bytes):
    frame = json.dumps([_EVENT | {"data": {"padding": ""}}], separators=(",", ":"))
    return frame.replace('""', '"' + "x" * (size_bytes - len(frame)) + '"').encode()


@pytest.mark.parametrize("pack", [lambda body: (body, None), lambda body: (gzip.compress(body), "gzip")])
def test_exactly_one_mebibyte_passes_and_one_byte_more_is_a_400(sender, pack):
    for size_bytes, status in ((1_048_576, 204), (1_048_577, 400)):
        body, encoding = pack(_events_of(size_bytes))
        response = sender.client("events", content=body, headers={"content-encoding": encoding})
        assert response.status_code == status
    assert response.json() == _UNREADABLE


def test_a_body_far_over_the_limit_leaves_the_connection_usable(sender):
    assert sender.client("events", content=_events_of(9_000_000)).status_code == 400
    assert sender.client("events", [_EVENT]).status_code == 204


def test_gzip_and_deflate_are_read_other_encodings_are_a_400(sender):
    body = json.dumps([_EVENT]).encode()
    packed = {"gzip": gzip.compress(body), "deflate": zlib.compress(body)}
    for encoding, content in packed.items():
        assert (
            sender.client("events", content=content, headers={"content-encoding": encoding}).status_code
            == 204
        )
    for encoding, content in (
        ("zstd", body),
        ("br", body),
        ("gzip", body),
        ("gzip", packed["gzip"][:-12]),
    ):
        response = sender.client("events", content=content, headers={"content-encoding": encoding})
        assert response.status_code == 400


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/octet-stream"])
def test_a_body_that_is_not_declared_as_json_is_not_read(sender, content_type):
    response = sender.client("events", [_EVENT], headers={"content-type": content_type})
    assert response.status_code == 422
    assert response.json()["error"] == "The value of `` must be a array."


def test_bare_and_unknown_paths_are_a_plain_404(sender):
    for path in ("/events", "/devices", "/api/client", "/api/client/event", "/api/client/events/"):
        response = sender.http.post(path)
        assert (response.status_code, response.text) == (404, "Not Found")
        assert response.headers["content-type"].startswith("text/plain")


def test_another_method_is_a_plain_405(sender):
    response = sender.http.get("/api/client/events")
    assert (response.status_code, response.text) == (405, "Method Not Allowed")


def test_an_array_is_refused_as_a_whole(sender, remote):
    sender.client("events", [_EVENT, _EVENT, _EVENT | {"name": 5}])
    assert remote.report().client_api.accepted == 0
    assert list(remote.items("client_api")) == []


def _nested(levels):
    value: object = "leaf"
    for _ in range(levels):
        value = {"deeper": value}
    return value


@pytest.mark.parametrize(
    ("operation", "item", "reason"),
    [
        ("events", _EVENT | {"name": "n" * 256}, "name too long"),
        ("events", _EVENT | {"external_id": "e" * 256}, "external_id too long"),
        ("events", _EVENT | {"anonymous_id": "a" * 256}, "anonymous_id too long"),
        ("events", _EVENT | {"name": ""}, "empty name"),
        ("events", _EVENT | {"external_id": ""}, "empty external_id"),
        ("events", _EVENT | {"external_id": None}, "no id"),
        ("events", _EVENT | {"data": _nested(33)}, "too deep"),
        ("events", _EVENT | {"user": {"email": "m" * 256}}, "email too long"),
        ("events", _EVENT | {"user": {"data": _nested(33)}}, "too deep"),
        ("identify", {"external_id": None}, "no id"),
        ("identify", {"external_id": ""}, "empty external_id"),
        ("identify", {"external_id": "u", "email": "m" * 256}, "email too long"),
        ("identify", {"external_id": "u", "locale": "l" * 256}, "locale too long"),
        ("identify", {"external_id": "u", "phone": "1" * 65}, "phone too long"),
        ("identify", {"external_id": "u", "data": {"list": [_nested(31)]}}, "too deep"),
        ("alias", {"external_id": "u" * 256, "anonymous_id": "a"}, "external_id too long"),
        ("devices", _DEVICE | {"external_id": ""}, "empty external_id"),
    ],
)
def test_what_a_real_server_would_lose_is_accepted_and_counted_as_harm(
    sender, remote, operation, item, reason
):
    body = [_EVENT, item] if operation == "events" else item
    assert sender.client(operation, body).status_code == 204
    assert remote.report().client_api.harmed == {reason: 1}


def test_a_lone_surrogate_is_accepted_and_counted_as_harm(sender, remote):
    content = (
        b'[{"external_id": "user-1", "name": "half \\ud83d"}, {"external_id": "user-1", "name": "whole"}]'
    )
    assert sender.client("events", content=content).status_code == 204
    report = remote.report().client_api
    assert report.accepted == 2
    assert report.harmed == {"lone surrogate": 1}
    assert [item.name for item in remote.items("client_api")] == ["half \ufffd", "whole"]


def test_the_longest_that_fits_does_no_harm(sender, remote):
    event = {"external_id": "e" * 255, "name": "ü" * 255, "data": _nested(32), "user": {"phone": "1" * 64}}
    assert sender.client("events", [event]).status_code == 204
    assert remote.report().client_api.harmed == {}
