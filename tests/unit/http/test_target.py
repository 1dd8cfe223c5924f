"""A URL, taken apart for a request."""

import pytest

from consumer.http.target import Origin, parse_target


@pytest.mark.parametrize(
    ("url", "origin", "line", "host"),
    [
        ("http://a.example/x", Origin("a.example", 80, False), "/x", "a.example"),
        ("https://a.example", Origin("a.example", 443, True), "/", "a.example"),
        ("https://a.example:443/x", Origin("a.example", 443, True), "/x", "a.example"),
        ("https://a.example:8443/x?y=1", Origin("a.example", 8443, True), "/x?y=1", "a.example:8443"),
        ("HTTP://A.Example:80/X#part", Origin("a.example", 80, False), "/X", "a.example"),
        ("http://[::1]:9000/x", Origin("::1", 9000, False), "/x", "[::1]:9000"),
        ("https://[2001:db8::1]/x", Origin("2001:db8::1", 443, True), "/x", "[2001:db8::1]"),
    ],
)
def test_a_url_says_whom_to_connect_to_and_how_a_request_begins(
    url: str, origin: Origin, line: str, host: str
) -> None:
    target = parse_target(url)

    assert target.origin == origin
    assert target.start == f"POST {line} HTTP/1.1\r\nhost: {host}\r\n"


def test_credentials_in_a_url_are_refused_and_not_quoted() -> None:
    with pytest.raises(ValueError, match="without credentials") as raised:
        parse_target("http://user:s3cr3t@127.0.0.1/")

    assert "s3cr3t" not in str(raised.value)
