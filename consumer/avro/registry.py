"""The schema registry, by confluent-kafka's client, with a bound on everything that it leaves unbounded."""

import asyncio
import ssl
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from confluent_kafka.schema_registry import Schema as RegisteredSchema
from confluent_kafka.schema_registry import SchemaRegistryClient, SchemaRegistryError

from consumer.avro.address import RegistryAddress
from consumer.avro.framing import SchemaId, as_number_or_guid, schema_id
from consumer.avro.offload import in_daemon_thread
from consumer.avro.policy import RegistryPolicy
from consumer.avro.rotation import Rotation
from consumer.avro.schemas import SchemaText
from consumer.avro.session import BoundedSession
from consumer.avro.undecodable import REFUSED_SCHEMA, UNKNOWN_ID, Undecodable
from consumer.errors import RegistryUnavailable

_SCHEMA_NOT_FOUND = 40403  # Confluent's API reference, "Error codes"
_MOCK_NOT_FOUND = 40400  # what the registry in memory says instead
_NO_SUCH_SUBJECT = (40401, 40403, 40408, 40400)  # 40408: no compatibility of its own
_MAX_REFERENCES = 100

T = TypeVar("T")


class Registry:
    """One client. Its calls block, so each runs in a thread; for one event loop."""

    def __init__(
        self,
        address: RegistryAddress,
        policy: RegistryPolicy | None = None,
        on_credentials: Callable[[list[str]], None] = lambda _: None,
    ) -> None:
        """Blocks on certificate files only. Raises ValueError or OSError for what is wrong.

        `on_credentials` hears of those that came into use with a changed file: the log has to mask them too.
        """
        self._policy = policy or RegistryPolicy()
        self._name = address.name
        self._rotation = Rotation(address)
        self._on_credentials = on_credentials
        self._renewing = Lock()
        self._retired: Any = None
        self._client: Any = _connected(address, self._policy)
        self._not_found = _MOCK_NOT_FOUND if address.in_memory else _SCHEMA_NOT_FOUND

    async def fetch(self, schema: SchemaId) -> SchemaText | Undecodable:
        """The schema with this id, and those it refers to. Waits at most `deadline_s`.

        Undecodable: the registry says in its own words that it has no such id, or the schema is not Avro.
        Raises RegistryUnavailable for everything else: no answer, somebody else's 404, nonsense.
        """
        return await self._ask(lambda: self._fetch(schema))

    async def register(self, subject: str, text: str) -> SchemaId:
        """Register an Avro schema under a subject, or find it there. Raises RegistryUnavailable."""
        schema = RegisteredSchema(text, "AVRO")
        return schema_id(await self._ask(lambda: int(self._client.register_schema(subject, schema))))

    async def probe(self) -> None:
        """Ask for something harmless, to see that it answers us. Raises RegistryUnavailable."""
        await self._ask(lambda: self._client.get_subjects(limit=1))

    async def versions(self, subject: str) -> dict[int, SchemaText]:
        """The versions of a subject by their number; none where it does not exist. Raises RegistryUnavailable."""
        return await self._ask(lambda: self._versions(subject))

    async def version_of(self, subject: str, text: str) -> int | None:
        """The number of the version that is this schema; None if none is. Raises RegistryUnavailable."""
        schema = RegisteredSchema(text, "AVRO")
        found = await self._ask(
            lambda: self._unless_absent(lambda: self._client.lookup_schema(subject, schema))
        )
        return None if found is None else int(found.version)

    async def level(self, subject: str) -> tuple[str | None, str]:
        """A subject's own compatibility, None where it has none, and the registry's. Raises RegistryUnavailable."""
        own = await self._ask(lambda: self._unless_absent(lambda: self._client.get_compatibility(subject)))
        return own, str(await self._ask(lambda: self._client.get_compatibility()))

    async def set_level(self, subject: str, level: str) -> None:
        """Give a subject its own compatibility. Raises RegistryUnavailable."""
        await self._ask(lambda: self._client.set_compatibility(subject, level))

    async def would_take(self, subject: str, text: str) -> bool:
        """Whether a schema is compatible by the subject's own level, in the registry's own judgement; of an unknown
        subject it is. Raises RegistryUnavailable.
        """
        schema = RegisteredSchema(text, "AVRO")
        ask = self._client.test_compatibility_all_versions
        answer = await self._ask(lambda: self._unless_absent(lambda: ask(subject, schema)))
        return True if answer is None else bool(answer)

    def close(self) -> None:
        """Close the connections. A call under way ends with RegistryUnavailable."""
        self._client.close()
        if self._retired is not None:
            self._retired.close()

    def _renew(self) -> None:
        """Another client where password or certificates were exchanged. Blocks; what is unusable changes nothing."""
        with self._renewing:
            address = self._rotation.changed()
            if address is None:
                return
            try:
                client = _connected(address, self._policy)
            except (OSError, ValueError):
                return  # half of a pair: the other file follows, and changes the stamp again
            if address.basic_auth is not None:
                self._on_credentials([address.basic_auth, address.basic_auth.partition(":")[2]])
            if self._retired is not None:
                self._retired.close()
            # Calls under way still use the one before.
            self._client, self._retired = client, self._client

    def _fetch(self, schema: SchemaId) -> SchemaText | Undecodable:
        asked = as_number_or_guid(schema)
        try:
            if isinstance(asked, int):
                found = self._client.get_schema(asked)
            else:
                found = self._client.get_schema_by_guid(str(asked))
        except SchemaRegistryError as error:
            if error.http_status_code == 404 and error.error_code == self._not_found:
                return Undecodable(UNKNOWN_ID)
            raise
        if (found.schema_type or "AVRO") != "AVRO":
            return Undecodable(f"{REFUSED_SCHEMA}not avro")
        references: dict[tuple[str, int], str] = {}
        self._collect(found, references)
        self._client.clear_caches()  # they have no bound; the decoder keeps what was found
        return SchemaText(_text(found), tuple(references.values()))

    def _collect(self, schema: RegisteredSchema, into: dict[tuple[str, int], str]) -> None:
        """The texts that a schema refers to, each after those that it refers to itself."""
        for reference in schema.references or ():
            place = (str(reference.subject), int(reference.version or 0))
            if place in into:
                continue
            if len(into) == _MAX_REFERENCES:
                raise ValueError("too many references")
            into[place] = ""  # a circle ends here
            found = self._client.get_version(*place, deleted=True).schema
            self._collect(found, into)
            del into[place]
            into[place] = _text(found)

    def _versions(self, subject: str) -> dict[int, SchemaText]:
        numbers = self._unless_absent(lambda: self._client.get_versions(subject)) or []
        found: dict[int, SchemaText] = {}
        for number in sorted(map(int, numbers)):
            schema = self._client.get_version(subject, number).schema
            references: dict[tuple[str, int], str] = {}
            self._collect(schema, references)
            found[number] = SchemaText(_text(schema), tuple(references.values()))
        self._client.clear_caches()
        return found

    def _unless_absent(self, call: Callable[[], T]) -> T | None:
        """None where the registry says in its own words that there is no such thing."""
        try:
            return call()
        except SchemaRegistryError as error:
            if error.http_status_code == 404 and error.error_code in _NO_SUCH_SUBJECT:
                return None
            raise

    async def _ask(self, call: Callable[[], T]) -> T:
        def renewed() -> T:
            self._renew()
            return call()

        try:
            async with asyncio.timeout(self._policy.deadline_s):
                return await in_daemon_thread(renewed)
        except TimeoutError:
            problem = f"no complete answer within {self._policy.deadline_s:g} s"
        except SchemaRegistryError as error:
            if error.http_status_code in (409, 422):
                said = " ".join(str(error.error_message).split())[:500]
                raise RegistryUnavailable(f"schema registry {self._name} refuses: {said}") from None
            problem = f"answered {error.http_status_code}, code {error.error_code}"
        except (
            Exception
        ) as error:  # of any type: its HTTP library's, and slips over an answer that is nonsense
            problem = _words(error)
        raise RegistryUnavailable(
            f"schema registry {self._name}: {problem}; check SCHEMA_REGISTRY_URL, its credentials and the network"
        )


def _words(error: BaseException) -> str:
    """What the network or TLS said at the bottom of an error; of any other, its type: its text may hold anything."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"TLS refused ({getattr(cause, 'verify_message', None) or cause.reason or 'no handshake'})"
        if isinstance(cause, OSError) and cause.strerror:
            return f"connection failed ({cause.strerror})"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _connected(address: RegistryAddress, policy: RegistryPolicy) -> Any:
    """A client that connects when it is asked. Blocks on certificate files; raises ValueError or OSError."""
    client: Any = SchemaRegistryClient.new_client(_configuration(address, policy))
    inner: Any = client._rest_client
    inner.session = BoundedSession(inner, policy)
    return client


def _configuration(address: RegistryAddress, policy: RegistryPolicy) -> dict[str, Any]:
    """The client's configuration, with nothing left to its defaults that can wait or grow.

    Subject strategies are the serializers' business: schemas are looked up by id, which needs none.
    """
    wait_max_ms = int(policy.retry_wait_max_s * 1000)
    chosen = {
        "url": address.url,
        "basic.auth.user.info": address.basic_auth,
        "ssl.ca.location": address.ca_file,
        "ssl.certificate.location": address.certificate_file,
        "ssl.key.location": address.key_file,
        "timeout": policy.timeout_s,
        "max.retries": policy.max_retries,
        "retries.wait.ms": min(250, wait_max_ms),
        "retries.max.wait.ms": wait_max_ms,
        "cache.capacity": 100,
        "cache.latest.ttl.sec": 60,
    }
    return {key: value for key, value in chosen.items() if value is not None}


def _text(schema: RegisteredSchema) -> str:
    if not isinstance(schema.schema_str, str):
        raise TypeError("an answer without a schema")
    return schema.schema_str
