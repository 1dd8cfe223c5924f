"""The policy for base URLs."""

import pytest

from consumer.http.urls import BaseUrl, UrlProblem, is_loopback, parse_base_url


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("HTTPS://API.example.com/v2/", "https://api.example.com/v2"),
        ("https://api.example.com:443/v2", "https://api.example.com/v2"),
        ("https://api.example.com:8443", "https://api.example.com:8443"),
        ("https://[2001:db8::1]:8443/v2", "https://[2001:db8::1]:8443/v2"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/x", "http://localhost:8080/x"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_good_base_url_is_taken(text: str, written: str) -> None:
    assert str(parse_base_url(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.example.com",
        "//api.example.com",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "https://",
        "https:///v2",
        "https://user@api.example.com",
        "https://user:pass@api.example.com",
        "https://api.example.com\\@elsewhere.example.com",
        "https://api.example.com?key=1",
        "https://api.example.com/v2?",
        "https://api.example.com/#top",
        "https://api.example.com:0",
        "https://api.example.com:99999",
        "https://api.example.com:port",
        "https://api..example.com",
        "https://-.example.com",
        "https://" + "a" * 64 + ".example.com",
        "https://api.example.com%2eelsewhere.com",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://api.example.com/v2/../admin",
        "https://api.example.com/v2/%2E%2e/admin",
        "https://api.example.com/a b",
        "https://api.exam\nple.com",
        " https://api.example.com",
        "https://bücher.example.com",
    ],
)
def test_a_bad_base_url_is_refused(text: str) -> None:
    assert isinstance(parse_base_url(text), UrlProblem)
    assert isinstance(parse_base_url(text, allow_plain_http=True), UrlProblem)


@pytest.mark.parametrize(
    "text",
    [
        "http://api.example.com",
        "http://10.0.0.1",
        "http://0.0.0.0:8080",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://127.1",
        "http://2130706433",
    ],
)
def test_plain_http_leaves_this_machine_only_where_allowed(text: str) -> None:
    refused = parse_base_url(text)

    assert isinstance(refused, UrlProblem)
    assert "https" in refused.text
    assert isinstance(parse_base_url(text, allow_plain_http=True), BaseUrl)


@pytest.mark.parametrize(
    "text", ["https://me:s3cr3t@h", "https://h/?key=s3cr3t", "https://h/s3cr3t/..", "s3cr3t"]
)
def test_a_refusal_does_not_quote_what_may_be_secret(text: str) -> None:
    problem = parse_base_url(text)

    assert isinstance(problem, UrlProblem)
    assert "s3cr3t" not in problem.text


@pytest.mark.parametrize(
    ("base", "path", "joined"),
    [
        ("https://h.example", "/v2/events", "https://h.example/v2/events"),
        ("https://h.example/", "/v2/events", "https://h.example/v2/events"),
        ("https://h.example/eu", "/v2/events", "https://h.example/eu/v2/events"),
        ("http://[::1]:80/eu/", "/a%20b", "http://[::1]/eu/a%20b"),
    ],
)
def test_a_path_is_joined_below_the_base(base: str, path: str, joined: str) -> None:
    url = parse_base_url(base)

    assert isinstance(url, BaseUrl)
    assert url.join(path) == joined


@pytest.mark.parametrize(
    "path",
    ["", "v2", "/../v2", "/v2/%2e%2E", "/./v2", "/v2?key=1", "/v2#x", "/a b", "/ü", "/a\r\nb", "/a\\b"],
)
def test_a_path_that_would_leave_the_base_is_a_fault(path: str) -> None:
    url = parse_base_url("https://h.example/eu")

    assert isinstance(url, BaseUrl)
    with pytest.raises(ValueError, match="path"):
        url.join(path)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1"])
def test_loopback_is_known_by_name(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.example.com", "10.0.0.1", "0.0.0.0", "example.com", "::2"])
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)
