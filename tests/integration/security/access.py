"""A user's settings for a broker that asks who is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.security.secure_kafka import SecureKafka
from tests.integration.security.token_server import TokenServer

PASSWORD = "canary-scram-password"
CLIENT_SECRET = "canary-oauth-secret"


@dataclass(frozen=True, slots=True)
class Access:
    """Where to connect, and what stands in the properties file."""

    servers: str
    options: Mapping[str, str]
    registry: Mapping[str, str]
    """Settings for the registry beside it."""

    def but(self, *, servers: str | None = None, **changes: str) -> "Access":
        """The same with other values; `_` in names stands for a dot."""
        more = {name.replace("_", "."): value for name, value in changes.items()}
        return Access(servers or self.servers, {**self.options, **more}, self.registry)

    def settings(self, folder: Path) -> dict[str, Any]:
        """The environment variables, with the properties file written."""
        file = folder / "kafka.properties"
        file.write_text(self.text)
        return {"KAFKA_BOOTSTRAP_SERVERS": self.servers, "KAFKA_PROPERTIES": str(file), **self.registry}

    @property
    def text(self) -> str:
        """The properties file."""
        return "".join(f"{name}={value}\n" for name, value in self.options.items())


def by_tls(kafka: SecureKafka) -> Access:
    """No user: the broker alone shows who it is."""
    options = {"security.protocol": "SSL", "ssl.ca.location": kafka.authority.ca_file}
    return Access(kafka.servers("TLS"), options, kafka.registry_settings)


def by_certificate(kafka: SecureKafka) -> Access:
    """Both sides show a certificate."""
    pem = str(kafka.authority.issue("team"))
    options = {**by_tls(kafka).options, "ssl.certificate.location": pem, "ssl.key.location": pem}
    return Access(kafka.servers("MTLS"), options, kafka.registry_settings)


def by_password(kafka: SecureKafka, user: str = "team", password: str = PASSWORD) -> Access:
    """SCRAM-SHA-512 over TLS."""
    kafka.set_password(user, password)
    options = {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": kafka.authority.ca_file,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": user,
        "sasl.password": password,
    }
    return Access(kafka.servers("SCRAM"), options, kafka.registry_settings)


def by_token(kafka: SecureKafka, tokens: TokenServer) -> Access:
    """OAUTHBEARER over TLS, the token from a server (OpenID Connect's client credentials)."""
    options = {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": kafka.authority.ca_file,
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": "team",
        "sasl.oauthbearer.client.secret": CLIENT_SECRET,
        "sasl.oauthbearer.token.endpoint.url": tokens.url,
    }
    return Access(kafka.servers("OAUTH"), options, kafka.registry_settings)
