"""The registry's client, over HTTP: one answer means "unknown", all others mean "not now"."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from consumer.avro.address import RegistryAddress
from consumer.avro.decoder import Decoder
from consumer.avro.framing import guid_id, schema_id
from consumer.avro.policy import AvroPolicy, RegistryPolicy
from consumer.avro.registry import Registry
from consumer.avro.schemas import Schema, SchemaText, compile_schema
from consumer.avro.undecodable import Undecodable
from consumer.clock import ManualClock
from consumer.errors import RegistryUnavailable
from tests.brokers import SchemaRegistry
from tests.brokers.registry import Drop, Hang, Reply
from tests.listener import Listener
from tests.unit.avro.avro_values import framed, record, record_of, varint

TEXT = json.dumps(record_of("string"), separators=(",", ":"))
PATIENT = RegistryPolicy(timeout_s=20.0, deadline_s=60.0, max_retries=1, retry_wait_max_s=0.01)
IMPATIENT = RegistryPolicy(timeout_s=0.2, deadline_s=1.0, max_retries=1, retry_wait_max_s=0.01)
Connect = Callable[..., Registry]
UNKNOWN = Undecodable("unknown schema id")


@pytest.fixture
def unused_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients, and closes them."""
    made: list[Registry] = []

    def connect(url: str, policy: RegistryPolicy = PATIENT, **address: Any) -> Registry:
        made.append(Registry(RegistryAddress(url=url, **address), policy))
        return made[-1]

    yield connect
    for one in made:
        one.close()


async def test_a_registered_schema_is_fetched_by_its_number(registry: SchemaRegistry, connect: Connect):
    number = registry.register("events-value", TEXT)
    assert await connect(registry.url).fetch(schema_id(number)) == SchemaText(TEXT)
    assert [path for _, path in registry.requests] == [f"/schemas/ids/{number}"]


async def test_registering_gives_the_id_that_fetching_takes(registry: SchemaRegistry, connect: Connect):
    one = connect(registry.url)
    assert await one.fetch(await one.register("events-value", TEXT)) == SchemaText(TEXT)


async def test_only_the_registrys_own_word_makes_an_id_unknown(registry: SchemaRegistry, connect: Connect):
    assert await connect(registry.url).fetch(schema_id(999)) == UNKNOWN


JSON = "application/vnd.schemaregistry.v1+json"


@pytest.mark.parametrize(
    "fault",
    [
        Reply(404, b"<html>no such page</html>"),
        Reply(404, b""),
        Reply(404, b'{"error_code": 404, "message": "HTTP 404 Not Found"}', JSON),
        Reply(404, b'{"error_code": 40400}', JSON),
        Reply(404, b'{"error_code": "40403"}', JSON),
        Reply(404, b'[{"error_code": 40403}]', JSON),
        Reply(403, b'{"error_code": 40403}', JSON),
        Reply(500, b'{"error_code": 50001, "message": "store"}', JSON),
        Reply(401, b'{"error_code": 401}', JSON),
        Reply(302, b""),
        Reply(200, b"<html>maintenance</html>"),
        Reply(200, b""),
        Reply(200, b"{}", JSON),
        Reply(200, b"[]", JSON),
        Reply(200, b'{"schema": 5}', JSON),
        Reply(200, b'{"schema": "\xff"}', JSON),
        Drop(),
    ],
    ids=str,
)
async def test_any_other_trouble_means_wait_and_ask_again(registry: SchemaRegistry, fault, connect: Connect):
    number = registry.register("events-value", TEXT)
    registry.break_with(fault)
    one = connect(registry.url)
    with pytest.raises(RegistryUnavailable, match=r"schema registry http://127\.0\.0\.1"):
        await one.fetch(schema_id(number))
    registry.heal()
    assert await one.fetch(schema_id(number)) == SchemaText(TEXT)


async def test_retries_are_bounded_and_overcome_a_short_fault(registry: SchemaRegistry, connect: Connect):
    number = registry.register("events-value", TEXT)
    registry.fail_next(Reply(503))
    one = connect(registry.url)
    assert await one.fetch(schema_id(number)) == SchemaText(TEXT)
    registry.break_with(Reply(503))
    with pytest.raises(RegistryUnavailable, match="answered 503"):
        await one.fetch(schema_id(number))
    assert len(registry.requests) == 2 + 2


async def test_a_registry_that_hangs_is_given_up_in_time_and_the_loop_goes_on(
    registry: SchemaRegistry, connect: Connect
):
    registry.break_with(Hang())
    started_s = time.monotonic()
    ticks = 0
    asked = asyncio.ensure_future(connect(registry.url, IMPATIENT).fetch(schema_id(1)))
    while not asked.done():
        await asyncio.sleep(0.02)
        ticks += 1
    with pytest.raises(RegistryUnavailable):
        asked.result()
    assert time.monotonic() - started_s < 15.0
    assert ticks > 5


async def test_a_registry_that_is_not_there_is_unavailable(unused_port: int, connect: Connect):
    with pytest.raises(RegistryUnavailable, match="connection failed"):
        await connect(f"http://127.0.0.1:{unused_port}").fetch(schema_id(1))


async def test_a_schema_that_is_not_avro_is_refused(registry: SchemaRegistry, connect: Connect):
    document = {"schema": "{}", "schemaType": "JSON"}
    registry.answer("POST", "/subjects/events-value/versions", json.dumps(document).encode())
    assert await connect(registry.url).fetch(schema_id(1)) == Undecodable("refused schema: not avro")


async def test_referred_schemas_come_with_it_each_after_its_own(registry: SchemaRegistry, connect: Connect):
    def put(subject: str, schema: Any, *names: str) -> None:
        references = [{"name": name, "subject": name, "version": 1} for name in names]
        document = {"schema": json.dumps(schema), "references": references}
        registry.answer("POST", f"/subjects/{subject}/versions", json.dumps(document).encode())

    put("City", record_of("string", name="City"))
    put("Address", record_of("City", name="Address"), "City")
    put("Person", record_of("Address", "City", name="Person"), "Address", "City")
    found = await connect(registry.url).fetch(schema_id(3))
    assert isinstance(found, SchemaText)
    assert [json.loads(text)["name"] for text in found.references] == ["City", "Address"]
    assert isinstance(compile_schema(found, AvroPolicy()), Schema)


async def test_a_reference_that_is_gone_is_trouble_and_not_an_unknown_id(
    registry: SchemaRegistry, connect: Connect
):
    references = [{"name": "City", "subject": "City", "version": 3}]
    document = {"schema": TEXT, "references": references}
    registry.answer("POST", "/subjects/events-value/versions", json.dumps(document).encode())
    with pytest.raises(RegistryUnavailable, match="answered 404, code 40401"):
        await connect(registry.url).fetch(schema_id(1))


async def test_a_decoder_keeps_what_it_got_before_the_registry_failed(
    registry: SchemaRegistry, connect: Connect
):
    first, second = registry.register("a", TEXT), registry.register("b", record_of("int"))
    decoder = Decoder(connect(registry.url), ManualClock())
    records = [record(framed(varint(1) + b"x", first)), record(framed(varint(7), second))]
    registry.fail_next(Reply(404, b"not this one"))
    with pytest.raises(RegistryUnavailable):
        await decoder.load(decoder.missing(records))
    assert len(decoder.missing(records)) == 2
    while ids := decoder.missing(records):
        await decoder.load(ids)
    assert decoder.decode(records) == [{"f0": "x"}, {"f0": 7}]


async def test_a_registry_in_memory_knows_what_was_registered_and_nothing_else(connect: Connect):
    one = connect("mock://demo")
    number = await one.register("events-value", TEXT)
    assert await one.fetch(number) == SchemaText(TEXT)
    assert await one.fetch(schema_id(99)) == UNKNOWN
    assert await one.fetch(guid_id(UUID(int=5))) == UNKNOWN
    await one.probe()


async def test_a_probe_tells_whether_the_registry_answers(registry: SchemaRegistry, connect: Connect):
    one = connect(registry.url)
    await one.probe()
    registry.break_with(Reply(401))
    with pytest.raises(RegistryUnavailable, match="answered 401"):
        await one.probe()


# ---------------------------------------------------------------- what the shared registry has no words for


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Any]


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[str]:
    """A raw server on loopback, which is handed each request's head."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            await serve(reader, writer, await reader.readuntil(b"\r\n\r\n"))

    listener = await Listener(converse).start()
    yield f"http://{listener.address}"
    await listener.close()


def answer(body: bytes, *headers: str) -> bytes:
    head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(head).encode() + body


async def test_an_answer_that_trickles_without_end_is_given_up_in_time(connect: Connect):
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    started_s = time.monotonic()
    async with server(trickle) as url:
        with pytest.raises(RegistryUnavailable):
            await connect(url, IMPATIENT).fetch(schema_id(1))
        assert time.monotonic() - started_s < 15.0, "and not after the half hour that the answer takes"


async def test_an_answer_without_end_is_given_up_for_its_size(connect: Connect):
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(b" " * 65536)
            await writer.drain()

    policy = RegistryPolicy(timeout_s=20, deadline_s=60, max_retries=0, max_answer_bytes=100_000)
    async with server(flood) as url:
        with pytest.raises(RegistryUnavailable, match="ValueError"):
            await connect(url, policy).fetch(schema_id(1))


async def test_a_guid_is_asked_for_by_its_own_path_and_credentials_go_along_but_not_into_errors(
    connect: Connect,
):
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        heads.append(head)
        body = json.dumps({"schema": TEXT}).encode() if len(heads) == 1 else b"nonsense"
        writer.write(answer(body))
        await writer.drain()

    async with server(serve) as url:
        one = connect(url, basic_auth="user:canary-password")
        guid = UUID("00112233-4455-6677-8899-aabbccddeeff")
        assert await one.fetch(guid_id(guid)) == SchemaText(TEXT)
        with pytest.raises(RegistryUnavailable) as caught:
            await one.fetch(schema_id(1))
    assert heads[0].startswith(b"GET /schemas/guids/00112233-4455-6677-8899-aabbccddeeff")
    assert b"authorization: basic dxnlcjpjyw5hcnktcgfzc3dvcmq=" in heads[0].lower()
    assert "canary" not in f"{caught.value}{caught.value.__cause__}"
    assert "canary" not in repr(RegistryAddress(url="http://u:canary@h", basic_auth="u:canary"))


async def test_proxies_of_the_environment_are_ignored(
    registry: SchemaRegistry, unused_port: int, monkeypatch: pytest.MonkeyPatch, connect: Connect
):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port}")
    number = registry.register("events-value", TEXT)
    assert await connect(registry.url).fetch(schema_id(number)) == SchemaText(TEXT)


@pytest.mark.parametrize(
    "mistake",
    [
        {"timeout_s": 0},
        {"timeout_s": 20, "deadline_s": 10},
        {"max_retries": -1},
        {"retry_wait_max_s": -0.1},
        {"max_answer_bytes": 0},
    ],
)
def test_a_policy_without_a_bound_is_refused(mistake):
    with pytest.raises(ValueError, match="must"):
        RegistryPolicy(**mistake)


async def test_a_subject_tells_its_versions_and_which_one_a_schema_is(
    registry: SchemaRegistry, connect: Connect
):
    client, other = connect(registry.url), json.dumps(record_of("int"))
    assert await client.versions("events-value") == {}
    assert await client.version_of("events-value", TEXT) is None

    registry.register("events-value", TEXT)
    registry.register("events-value", '"string"')

    assert await client.versions("events-value") == {1: SchemaText(TEXT), 2: SchemaText('"string"')}
    assert await client.version_of("events-value", TEXT) == 1
    assert await client.version_of("events-value", other) is None


async def test_a_subject_has_the_registrys_level_until_it_is_given_its_own(
    registry: SchemaRegistry, connect: Connect
):
    client = connect(registry.url)
    assert await client.level("events-value") == (None, "BACKWARD")

    await client.set_level("events-value", "FULL_TRANSITIVE")

    assert await client.level("events-value") == ("FULL_TRANSITIVE", "BACKWARD")


async def test_somebody_elses_404_is_no_subject_that_is_missing(registry: SchemaRegistry, connect: Connect):
    registry.break_with(Reply(404, b"no such page"))

    for ask in (connect(registry.url).versions, connect(registry.url).level):
        with pytest.raises(RegistryUnavailable):
            await ask("events-value")


@pytest.mark.parametrize("status", [409, 422])
async def test_a_refusal_is_told_in_the_registrys_words(
    registry: SchemaRegistry, connect: Connect, status: int
):
    body = b'{"error_code": %d, "message": "Schema being registered is incompatible:\\n floor"}' % status
    registry.break_with(Reply(status, body, "application/json"))

    with pytest.raises(RegistryUnavailable, match="refuses: Schema being registered is incompatible: floor"):
        await connect(registry.url).register("events-value", TEXT)
