"""Sends a request of a case, and holds the answer against the expected one."""

import gzip
import json
from typing import Any

import httpx
import msgspec

from tests.conformance.case import Answer, Request


def send(client: httpx.Client, request: Request) -> httpx.Response:
    """One request, exactly as it stands there: nothing is added but what HTTP needs."""
    body = _body(request)
    headers = {name: str(value) for name, value in request.headers.items()}
    if request.encoding is not None:
        headers["content-encoding"] = request.encoding
    return client.request(
        request.method, request.path, params=request.query or None, headers=headers, content=body
    )


def differences(answer: Answer, response: httpx.Response, *, by_shape: bool) -> list[str]:
    """What is not as it must be; empty: all is."""
    found = []
    if response.status_code != answer.status:
        found.append(f"status {response.status_code} instead of {answer.status}")
    if answer.json is msgspec.UNSET:
        if response.text != answer.text:
            found.append(f"body {response.text!r} instead of {answer.text!r}")
        return found
    try:
        value = response.json()
    except ValueError:
        return [*found, f"body {response.text!r} is no JSON"]
    if not (same_shape(answer.json, value) if by_shape else value == answer.json):
        found.append(f"body {value!r} instead of {answer.json!r}")
    return found


def same_shape(expected: Any, value: Any) -> bool:
    """The same keys and types throughout; lists of any length, whose items look like the expected first."""
    match expected:
        case dict():
            return (
                isinstance(value, dict)
                and value.keys() == expected.keys()
                and all(same_shape(expected[key], value[key]) for key in expected)
            )
        case [first, *_]:
            return isinstance(value, list) and all(same_shape(first, item) for item in value)
        case _:
            return type(value) is type(expected)


def _body(request: Request) -> bytes | None:
    if request.content is not None:
        return request.content.encode()
    if request.json is msgspec.UNSET:
        return None
    body = json.dumps(request.json).encode()
    if request.pad_to_bytes is not None:
        body = body.ljust(request.pad_to_bytes)
    return gzip.compress(body) if request.encoding == "gzip" else body
