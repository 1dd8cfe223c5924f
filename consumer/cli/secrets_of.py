"""What of the settings must never be logged, whatever a library says."""

from consumer.ledger.valkey_address import passwords_in
from consumer.settings import Settings

_KAFKA_SECRETS = ("password", "passphrase", "secret", "token", "key.pem", "jaas", "oauthbearer.config")
_TRACING = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")


def secrets_of(settings: Settings) -> list[str]:
    """Passwords and keys for Kafka, the registry, the ledger and the traces' collector; a topology tells its own."""
    secrets = [value for option, value in settings.kafka_options.items() if is_secret(option)]
    if basic_auth := settings.schema_registry_basic_auth:
        secrets += [basic_auth, basic_auth.partition(":")[2]]
    secrets += [*passwords_in(settings.ledger_url), settings.ledger_password or ""]
    for name in _TRACING:
        pairs = settings.environment.get(name, "").split(",")
        secrets += [value.strip() for _, _, value in (pair.partition("=") for pair in pairs)]
    return [secret for secret in secrets if secret]


def is_secret(option: str) -> bool:
    """Whether the value of an option of librdkafka's is one to hide."""
    return any(word in option for word in _KAFKA_SECRETS)
