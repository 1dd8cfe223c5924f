"""The true acknowledgement of each API, as bytes: what a hostile receiver spoils."""

import json

YES_BODY = json.dumps({"statusCode": 200, "message": "ok", "results": [{"id": 1}]}).encode()
"""Acknowledges at every API that answers with a body; the Client API answers 204 without one."""

LOGIN_PAGE = b"<!doctype html><html><title>Sign in</title><form action=/login method=post></form></html>"


def is_client_api(target: str) -> bool:
    """Whether a request's path is one of the API that acknowledges by 204."""
    return target.startswith("/api/client/")


def head(status_line: str, *headers: str) -> bytes:
    """A head as it is given, right or wrong."""
    return "\r\n".join([status_line, *headers, "", ""]).encode("latin-1")


def yes_to(target: str) -> bytes:
    """A true acknowledgement of a request to this path."""
    if is_client_api(target):
        return head("HTTP/1.1 204 No Content")
    return with_length("200 OK", YES_BODY)


def with_length(status: str, body: bytes, *headers: str) -> bytes:
    """A whole answer."""
    return head(f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}") + body


def page(status: str, html: bytes = LOGIN_PAGE) -> bytes:
    """A whole answer of somebody in between: HTML."""
    return with_length(status, html, "Content-Type: text/html; charset=utf-8")


def chunked(*chunks: bytes, status: str = "200 OK") -> bytes:
    """The head and these chunks, without the last, empty one."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head(f"HTTP/1.1 {status}", "Transfer-Encoding: chunked") + body
