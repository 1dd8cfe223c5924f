"""How a Valkey may be set up for a ledger: what it must keep, who may ask it, and whom we trust."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from consumer.errors import ConfigurationError, LedgerUnavailable
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.valkey_address import Access
from tests.brokers.ports import free_ports
from tests.brokers.valkey import ValkeyServer
from tests.contract.ledgers.cast import TOPIC, Process, open_of
from tests.contract.ledgers.valkey_hosts import Hosts
from tests.contract.senders.authority import Authority
from tests.listener import Listener


class TestUnfit:
    @pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
    async def test_a_server_that_may_evict_is_refused(self, hosts: Hosts, policy: str) -> None:
        server = hosts.server("--maxmemory-policy", policy)
        with pytest.raises(ConfigurationError, match=f"maxmemory-policy is {policy}.*set .* noeviction"):
            await hosts.process(server)
        assert server.ask("DBSIZE") == 0, "and nothing was written there"

    async def test_one_that_begins_to_evict_fails_closed_until_it_no_longer_does(self, hosts: Hosts) -> None:
        brisk = LedgerPolicy(reservation_age_s=60.0, lease_s=0.3)
        server = hosts.server()
        process = await hosts.process(server, 0, policy=brisk)
        server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
        await self._until(process, lambda why: why is not None and "noeviction" in why)
        server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
        await self._until(process, lambda why: why is None)

    async def test_a_node_of_a_cluster_is_refused(self, hosts: Hosts) -> None:
        server = hosts.server("--cluster-enabled", "yes", "--cluster-port", str(free_ports(1)[0]))
        with pytest.raises(ConfigurationError, match="one primary"):
            await hosts.process(server)

    async def test_a_newer_format_is_refused(self, hosts: Hosts) -> None:
        server = hosts.server()
        server.ask("HSET", "dc1:ledger", "format", 2, "id", "abc")
        with pytest.raises(ConfigurationError, match="has format 2, written by a newer release"):
            await hosts.process(server)

    @pytest.mark.parametrize(
        ("options", "advice"),
        [
            (("--appendonly", "no"), "appendonly is off"),
            (("--appendfsync", "no"), "appendfsync is no"),
            (("--appendfsync", "everysec"), None),
        ],
    )
    async def test_what_a_crash_may_cost_is_told(
        self, hosts: Hosts, options: tuple[str, str], advice: str | None
    ) -> None:
        process = await hosts.process(hosts.server(*options))
        told = " ".join(process.ledger.advice)
        assert told == "" if advice is None else advice in told and "duplicates" in told

    async def _until(self, process: Process, fits: Callable[[str | None], bool]) -> None:
        async with asyncio.timeout(20):
            while True:
                why = None
                try:
                    await process.ledger.states([])
                except LedgerUnavailable as error:
                    why = str(error)
                if fits(why):
                    return
                await asyncio.sleep(0.02)


class TestAccess:
    @pytest.fixture
    def guarded(self, hosts: Hosts) -> ValkeyServer:
        return hosts.server("--requirepass", "hunter2-secret")

    async def test_with_the_password_it_works(self, hosts: Hosts, guarded: ValkeyServer) -> None:
        url = guarded.url.replace("//", "//:hunter2-secret@")
        process = await hosts.process(guarded, 0, url=url)
        await process.deliver(process.record(1))

    @pytest.mark.parametrize("user", ["", ":wrong-secret@", "bob:wrong-secret@"])
    async def test_without_it_the_message_names_the_setting_and_no_secret(
        self, hosts: Hosts, guarded: ValkeyServer, user: str
    ) -> None:
        with pytest.raises(LedgerUnavailable, match="LEDGER_PASSWORD") as caught:
            await hosts.process(guarded, url=guarded.url.replace("//", f"//{user}"))
        text = f"{caught.value} {caught.value.__cause__}"
        assert "secret" not in text
        assert "bob" not in str(caught.value)

    async def test_a_user_with_the_rights_that_are_documented_is_enough(self, hosts: Hosts) -> None:
        server = hosts.server()
        rights = ["resetkeys", "~dc1*", "+@all", "-@dangerous", "+info"]
        server.ask("ACL", "SETUSER", "consumer", "on", ">secret", *rights)
        process = await hosts.process(server, 0, url=server.url.replace("//", "//consumer:secret@"))
        await process.deliver(process.record(1, once=open_of("ann", 0)))
        await process.ledger.bury([await process.take(process.record(2))])
        await process.ledger.starts(TOPIC, {0: 1})

    async def test_a_user_with_too_few_is_told_which(self, hosts: Hosts) -> None:
        server = hosts.server()
        server.ask("ACL", "SETUSER", "consumer", "on", ">secret", "resetkeys", "~other", "+@all")
        with pytest.raises(LedgerUnavailable, match=r"allow ~dc1\*"):
            await hosts.process(server, url=server.url.replace("//", "//consumer:secret@"))


class TestTls:
    """The certificate must come from an authority that we trust, and be for the host that we asked for."""

    @asynccontextmanager
    async def _serve(self, server: ValkeyServer, context: ssl.SSLContext) -> AsyncIterator[str]:
        """TLS before the server, which may be built without; gives the URL."""

        async def relay(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
            there, to = await asyncio.open_connection("127.0.0.1", server.port)
            ways = [asyncio.ensure_future(_pump(client, to)), asyncio.ensure_future(_pump(there, back))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for writer in (to, back):
                writer.close()
            await asyncio.gather(*ways, return_exceptions=True)

        front = await Listener(relay).start(ssl=context)
        try:
            yield f"rediss://{front.address}/0"
        finally:
            await front.close()

    async def test_a_server_whose_authority_is_given_is_trusted(self, hosts: Hosts, tmp_path: Path) -> None:
        authority = Authority.create(tmp_path)
        server = hosts.server()
        async with self._serve(server, authority.server_context()) as url:
            access = Access(ca_file=Path(authority.ca_file))
            process = await hosts.process(server, 0, url=url, access=access)
            await process.deliver(process.record(1))
            await process.ledger.close()

    async def test_one_that_nobody_vouches_for_is_not(self, hosts: Hosts, tmp_path: Path) -> None:
        server = hosts.server()
        async with self._serve(server, Authority.create(tmp_path).server_context()) as url:
            with pytest.raises(LedgerUnavailable, match=r"certificate is not trusted .* see LEDGER_CA_FILE"):
                await hosts.process(server, url=url)

    async def test_a_certificate_for_another_host_is_not(self, hosts: Hosts, tmp_path: Path) -> None:
        authority = Authority.create(tmp_path)
        server = hosts.server()
        async with self._serve(server, authority.server_context(ip="127.0.0.2")) as url:
            with pytest.raises(LedgerUnavailable, match="certificate is not trusted for this host"):
                await hosts.process(server, url=url, access=Access(ca_file=Path(authority.ca_file)))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
        await sink.drain()
