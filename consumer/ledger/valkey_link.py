"""The one connection to the server of a ledger, and the queue whose waiting calls share a round trip."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import NoScriptError, RedisError

from consumer.errors import LedgerUnavailable
from consumer.ledger.valkey_address import ValkeyAddress
from consumer.ledger.valkey_errors import advice
from consumer.ledger.valkey_rows import Argument
from consumer.ledger.valkey_scripts import Script

Reply = list[Any]


class Call(msgspec.Struct, frozen=True):
    """A script and what it is handed, behind the arguments that every script takes."""

    script: Script
    arguments: Sequence[Argument]


class Link:
    """Runs batches of scripts in their order, each batch in one round trip.

    Every wait is bounded by `timeout_s`. A connection that broke is made anew, once a batch: scripts may be repeated.
    """

    def __init__(self, address: ValkeyAddress, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._client: Redis | None = None

    def open(self) -> None:
        """Make ready; connects with the first batch."""
        if self._client is None:
            self._client = Redis(connection_pool=_pool(self._address, self._timeout_s))

    async def close(self) -> None:
        """Close the connection; idempotent."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
            await client.connection_pool.disconnect()

    async def run(self, calls: Sequence[Call]) -> list[Reply | LedgerUnavailable]:
        """The replies, in the order of the calls; a call that the server refused fails alone.

        Raises LedgerUnavailable where the server did not answer: then some of it may have been done.
        """
        replies: list[Any] = await self._guarded(lambda client: _run(client, calls))
        return [
            self.unavailable(advice(reply)) if isinstance(reply, Exception) else reply for reply in replies
        ]

    async def told(self) -> tuple[dict[str, Any], str | None]:
        """What the server says of itself, and its `appendfsync`: None where it does not let us see that."""
        told: tuple[dict[str, Any], str | None] = await self._guarded(_told)
        return told

    def unavailable(self, why: str) -> LedgerUnavailable:
        """The fault, with the place."""
        return LedgerUnavailable(f"ledger {self._address}: {why}")

    async def _guarded(self, work: Callable[[Redis], Any]) -> Any:
        if self._client is None:
            raise LedgerUnavailable("the ledger is closed: open it first")
        try:
            async with asyncio.timeout(3 * self._timeout_s):
                return await work(self._client)
        except (RedisError, OSError, TimeoutError) as error:
            raise self.unavailable(advice(error)) from error


async def _run(client: Redis, calls: Sequence[Call]) -> list[Any]:
    replies = await _send(client, [("EVALSHA", call.script.sha, 0, *call.arguments) for call in calls])
    if any(isinstance(reply, NoScriptError) for reply in replies):
        # The server was restarted, or is another one: all again and in order, with the scripts themselves.
        replies = await _send(client, [("EVAL", call.script.text, 0, *call.arguments) for call in calls])
    return replies


async def _send(client: Redis, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    replies: list[Any] = await pipeline.execute(raise_on_error=False)
    return replies


async def _told(client: Redis) -> tuple[dict[str, Any], str | None]:
    info = await client.info()
    try:
        found = await client.config_get("appendfsync")
    except RedisError:
        return info, None  # managed servers keep CONFIG to themselves
    return info, str(found.get("appendfsync", "")) or None


def _pool(address: ValkeyAddress, timeout_s: float) -> BlockingConnectionPool:
    access = address.access
    options: dict[str, Any] = {}
    if address.tls:
        # By default it wants a certificate that it trusts, for this host's name.
        options = {
            "connection_class": SSLConnection,
            "ssl_ca_certs": access.ca_file,
            "ssl_certfile": access.certificate_file,
            "ssl_keyfile": access.key_file,
        }
    return BlockingConnectionPool(
        max_connections=2,
        timeout=timeout_s,
        host=address.host,
        port=address.port,
        db=address.database,
        username=address.user,
        password=access.password,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        socket_keepalive=True,
        # Once, and at once: a kept connection that the server has closed says nothing of the server now.
        retry=Retry(NoBackoff(), 1, supported_errors=(NotConnected,)),
        driver_info=None,
        **options,
    )
