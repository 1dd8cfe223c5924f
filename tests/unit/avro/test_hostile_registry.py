"""A schema registry that means harm: it is asked again later, in bounded time and memory."""

import gzip
import json
import time
import zlib
from collections.abc import Mapping

import pytest

from consumer.avro.address import RegistryAddress
from consumer.avro.framing import schema_id
from consumer.avro.policy import RegistryPolicy
from consumer.avro.registry import Registry
from consumer.avro.schemas import SchemaText
from consumer.errors import RegistryUnavailable
from tests.contract.senders.receiver import Behaviour, Seen, Wire, answering
from tests.hostile.endless import dripping, half_closing, pouring, resetting
from tests.hostile.endpoint import HostileEndpoint
from tests.hostile.wire_format import chunked, head, page, with_length
from tests.unit.avro.avro_values import record_of

TEXT = json.dumps(record_of("string"))
ANSWER = json.dumps({"schema": TEXT}).encode()
POLICY = RegistryPolicy(timeout_s=0.5, deadline_s=1.0, max_retries=0, max_answer_bytes=100_000)


def _bomb() -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, 31)
    return stream.compress(ANSWER[:-1] + b" " * 50_000_000 + b"}") + stream.flush()


async def _redirecting(wire: Wire, seen: Seen) -> None:
    if seen.target == "/elsewhere":
        await wire.write(with_length("200 OK", ANSWER))
    else:
        await wire.write(with_length("302 Found", b"", f"Location: http://{seen.headers['host']}/elsewhere"))


NOT_NOW: Mapping[str, Behaviour] = {
    "silence": dripping(b"", b""),
    "head byte by byte": dripping(b"", with_length("200 OK", ANSWER, "X-Filler: " + "y" * 9_000)),
    "body byte by byte": dripping(head("HTTP/1.1 200 OK", "Content-Length: 90000"), ANSWER + b" " * 80_000),
    "endless body": pouring(head("HTTP/1.1 200 OK"), b" " * 4096),
    "endless chunks": pouring(chunked(), b"400\r\n" + b" " * 1024 + b"\r\n"),
    "endless header": pouring(b"HTTP/1.1 200 OK\r\nX-Filler: ", b"y" * 4096),
    "endless error": pouring(head("HTTP/1.1 404 Not Found"), b" " * 4096),
    "gzip bomb": answering(with_length("200 OK", _bomb(), "Content-Encoding: gzip")),
    "half a gzip": answering(with_length("200 OK", gzip.compress(ANSWER)[:-4], "Content-Encoding: gzip")),
    "gzip that is none": answering(with_length("200 OK", ANSWER, "Content-Encoding: gzip")),
    "brotli": answering(with_length("200 OK", ANSWER, "Content-Encoding: br")),
    "zstd": answering(with_length("200 OK", ANSWER, "Content-Encoding: zstd")),
    "a redirect": _redirecting,
    "404 in HTML": answering(page("404 Not Found")),
    "404 of another kind": answering(with_length("404 Not Found", b'{"error_code": 40401, "message": "no"}')),
    "401": answering(page("401 Unauthorized")),
    "500": answering(page("500 Oops")),
    "a login page": answering(page("200 OK")),
    "deep JSON": answering(with_length("200 OK", b"[" * 50_000)),
    "deep in the schema": answering(
        with_length("200 OK", b'{"schema": ' + b"[" * 40_000 + b"]" * 40_000 + b"}")
    ),
    "a number for a schema": answering(with_length("200 OK", b'{"schema": 1' + b"0" * 50_000 + b"}")),
    "cut": answering(head("HTTP/1.1 200 OK", "Content-Length: 500") + ANSWER, then_close=True),
    "reset in the body": resetting(head("HTTP/1.1 200 OK", "Content-Length: 500") + ANSWER),
    "half closed": half_closing(b"HTTP/1.1 20"),
    "not HTTP": answering(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", then_close=True),
}


@pytest.mark.parametrize("behave", NOT_NOW.values(), ids=list(NOT_NOW))
async def test_nothing_of_it_makes_an_id_unknown_or_a_schema_and_it_ends_in_time(behave: Behaviour) -> None:
    with HostileEndpoint(behave) as endpoint:
        registry = Registry(RegistryAddress(url=endpoint.base_url), POLICY)
        began_s = time.monotonic()
        with pytest.raises(RegistryUnavailable):
            await registry.fetch(schema_id(1))
        assert time.monotonic() - began_s < POLICY.deadline_s + 3.0
        assert all(seen.target.startswith("/schemas/ids/1") for seen in endpoint.seen), (
            "no redirect is followed"
        )
        registry.close()


@pytest.mark.parametrize(
    "honest",
    [
        with_length("200 OK", ANSWER, "Content-Type: text/html"),
        with_length("200 OK", ANSWER, "Content-Type: application/octet-stream"),
        with_length("200 OK", gzip.compress(ANSWER), "Content-Encoding: gzip"),
    ],
    ids=["as HTML", "as bytes", "as gzip"],
)
async def test_a_schema_is_taken_whatever_a_proxy_made_of_its_headers(honest: bytes) -> None:
    with HostileEndpoint(answering(honest)) as endpoint:
        registry = Registry(RegistryAddress(url=endpoint.base_url), POLICY)
        assert await registry.fetch(schema_id(1)) == SchemaText(TEXT)
        assert endpoint.seen[0].headers["accept-encoding"] == "identity"
        registry.close()
