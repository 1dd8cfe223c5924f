"""A real broker that asks who is there: TLS, client certificates, passwords and tokens, a listener each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.brokers import Broker, LocalKafka
from tests.brokers.ports import free_ports
from tests.contract.senders.authority import Authority

LISTENERS = ("TLS", "MTLS", "SCRAM", "ANEW", "OAUTH", "EXPIRED")
"""ANEW is SCRAM that asks for the password every few seconds, on open connections too."""
REGISTRY_AUTH = "team:canary-registry-password"
_MODULES = "org.apache.kafka.common.security"
_ALLOW = AclPermissionType.ALLOW


class SecureKafka:
    """One broker with a listener for each way in. Who may do all: the certificate `team`, and the user `team`."""

    def __init__(self, libs: Path, folder: Path) -> None:
        """Starts it; blocks for seconds."""
        self.authority = Authority.create(folder)
        self._ports = dict(zip(LISTENERS, free_ports(len(LISTENERS)), strict=True))
        self.process = LocalKafka(libs, settings=self._settings(), listeners=self._ports)
        self.process.start()
        self.broker = Broker(self.process.bootstrap_servers, "java", process=self.process)
        self._admin = AdminClient({"bootstrap.servers": self.process.bootstrap_servers, "log_level": 2})

    @property
    def registry_settings(self) -> dict[str, Any]:
        """For the registry beside it, which shows a certificate of the same authority and asks for a password."""
        password = self.authority.folder / "registry-password"
        password.write_text(f"{REGISTRY_AUTH}\n")
        return {
            "SCHEMA_REGISTRY_CA_FILE": self.authority.ca_file,
            "SCHEMA_REGISTRY_BASIC_AUTH_FILE": str(password),
        }

    def servers(self, listener: str, host: str = "127.0.0.1") -> str:
        """What KAFKA_BOOTSTRAP_SERVERS is to be."""
        return f"{host}:{self._ports[listener]}"

    def set_password(self, user: str, password: str) -> None:
        """A user with this password, instead of the one before."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        change = UserScramCredentialUpsertion(user, info, password.encode())
        self._admin.alter_user_scram_credentials([change])[user].result(20.0)

    def allow(self, user: str, kind: str, name: str, *operations: str) -> None:
        """Let a user do this with a topic or a group."""
        bindings = [
            AclBinding(
                ResourceType[kind], name, ResourcePatternType.LITERAL, f"User:{user}", "*",
                AclOperation[operation], _ALLOW,
            )
            for operation in operations
        ]  # fmt: skip
        for future in self._admin.create_acls(bindings).values():
            future.result(20.0)

    def close(self) -> None:
        """End it, with its data."""
        self.broker.close()

    def _settings(self) -> Mapping[str, str]:
        trusted, folder = self.authority, self.authority.folder
        good, expired = trusted.issue("broker"), trusted.issue("broker", expired=True)
        of_tls = {
            f"listener.name.{name.lower()}.ssl.keystore.{key}": value
            for name in LISTENERS
            for key, value in (("type", "PEM"), ("location", str(expired if name == "EXPIRED" else good)))
        }
        protocols = {
            "TLS": "SSL",
            "MTLS": "SSL",
            "EXPIRED": "SSL",
            "SCRAM": "SASL_SSL",
            "ANEW": "SASL_SSL",
            "OAUTH": "SASL_SSL",
        }
        plain = "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT"
        return {
            "listener.security.protocol.map": ",".join([plain, *(f"{a}:{b}" for a, b in protocols.items())]),
            "inter.broker.listener.name": "PLAINTEXT",
            **of_tls,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(folder / "ca.pem"),
            "listener.name.mtls.ssl.client.auth": "required",
            **{
                f"listener.name.{name}.{key}": value
                for name in ("scram", "anew")
                for key, value in (
                    ("sasl.enabled.mechanisms", "SCRAM-SHA-512"),
                    ("scram-sha-512.sasl.jaas.config", f"{_MODULES}.scram.ScramLoginModule required;"),
                )
            },
            "listener.name.anew.scram-sha-512.connections.max.reauth.ms": "4000",
            # Without a validator of its own it takes tokens without a signature: whose they are is what counts here.
            "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
            "listener.name.oauth.oauthbearer.sasl.jaas.config": (
                f'{_MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="x";'
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:CN=team;User:team",
        }
