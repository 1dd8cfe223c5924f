"""Which settings there are: their keys in the `--config` file, their types and defaults."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from consumer.settings.mistakes import Strict
from consumer.settings.units import DurationMs, SizeBytes


def _number(value: Any) -> Any:
    """The environment has text only."""
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value) else value


def _truth(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _path(value: Any) -> Any:
    return Path(value) if isinstance(value, str) and value else value


def _listen(text: str) -> str:
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed) or not re.fullmatch("[0-9]{1,5}", port):
        raise ValueError("must be host:port, such as 127.0.0.1:9464 or [::1]:9464")
    if int(port) > 65_535:
        raise ValueError("has no such port: it must be at most 65535")
    return text


Number = Annotated[int, BeforeValidator(_number, json_schema_input_type=int)]
Truth = Annotated[bool, BeforeValidator(_truth, json_schema_input_type=bool)]
FilePath = Annotated[Path, BeforeValidator(_path, json_schema_input_type=str)]
Text = Annotated[str, Field(min_length=1)]
Listen = Annotated[str, AfterValidator(_listen)]


class SettingsModel(Strict):
    """What can be set. The names of attributes have their unit where the keys have none."""

    topology: FilePath | None = Field(
        None, description="Directory of topology files. Default: the one that ships."
    )
    schemas: FilePath | None = Field(
        None, description="Directory of Avro schemas. Default: the one that ships."
    )

    kafka_bootstrap_servers: Text | None = Field(
        None, description="Brokers to begin with, as host:port,host:port."
    )
    kafka_properties: FilePath | None = Field(
        None, description="Properties file with librdkafka options: SASL, TLS, any other."
    )
    schema_registry_url: Text | None = Field(
        None, description="The schema registry; several with commas between."
    )
    schema_registry_basic_auth: Text | None = Field(
        None, description="user:password for the schema registry."
    )
    schema_registry_ca_file: FilePath | None = Field(
        None, description="PEM file of authorities that the registry's certificate must come from."
    )
    schema_registry_certificate_file: FilePath | None = Field(
        None, description="PEM file: our certificate there."
    )
    schema_registry_key_file: FilePath | None = Field(None, description="PEM file: our certificate's key.")

    consumer_group: Text = Field("distinct-consumer", description="The consumer group.")
    instance_id: Text | None = Field(
        None, description="Static member id: a restart then moves no partitions."
    )
    group_protocol: Literal["classic", "consumer"] = Field(
        "classic", description="classic (cooperative-sticky) or consumer (KIP-848, brokers from 4.0)."
    )
    max_pending: Annotated[Number, Field(ge=1, json_schema_extra={"minimum": 1})] = Field(
        20_000, description="Unsettled records at which polling rests."
    )
    max_pending_bytes: SizeBytes = Field(64 * 1024**2, description="Their bytes, likewise, such as 64MiB.")
    drain_timeout_ms: DurationMs = Field(
        25_000,
        alias="drain_timeout",
        description="How long a stop waits for what is on the wire, such as 25s.",
    )
    commit_interval_ms: DurationMs = Field(
        1_000, alias="commit_interval", description="How often offsets are committed, such as 1s."
    )

    ledger_url: Text = Field(
        "sqlite:///distinct-consumer.db",
        description="sqlite:///relative, sqlite:////absolute, redis[s]://[user@]host[:port][/N], or memory:",
    )
    ledger_password: Text | None = Field(None, description="The password for a ledger on Valkey or Redis.")
    ledger_ca_file: FilePath | None = Field(
        None, description="PEM file of authorities that the ledger's certificate may come from."
    )
    ledger_certificate_file: FilePath | None = Field(None, description="PEM file: our certificate there.")
    ledger_key_file: FilePath | None = Field(None, description="PEM file: our certificate's key.")
    ledger_keep_keys_ms: DurationMs = Field(
        86_400_000,
        alias="ledger_keep_keys",
        description="How long a delivered event is recognised, such as 24h.",
    )
    ledger_keep_windows_ms: DurationMs = Field(
        172_800_000, alias="ledger_keep_windows", description="How long windows are kept, such as 48h."
    )
    ledger_keep_once_ms: DurationMs = Field(
        2_592_000_000,
        alias="ledger_keep_once",
        description="How long `once: {for: ever}` is kept, such as 30d.",
    )

    stuck_after_ms: DurationMs = Field(
        120_000,
        alias="stuck_after",
        description="How long a partition or a lane may stand without a known reason before it is an alarm.",
    )
    stalled_after_ms: DurationMs = Field(
        5_000,
        alias="stalled_after",
        description="How long the event loop may be blocked before it is an alarm, at least 1s.",
    )

    admin_listen: Listen = Field(
        "127.0.0.1:9464", description="host:port of /live, /ready, /metrics and /status."
    )
    avro_reader: Literal["auto", "python"] = Field(
        "auto", description="auto (native code where it is installed) or python."
    )
    http_client: Literal["httptools", "httpx"] = Field(
        "httptools", description="httptools (fast) or httpx (portable)."
    )
    allow_plain_http: Truth = Field(
        False, description="Accept http:// beyond this machine: keys then travel in the clear."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged at least."
    )


SECRETS = frozenset({"schema_registry_basic_auth", "ledger_password"})
"""Never shown, and no flags, which others can see. Each may also be read from a file: `KEY_file`."""

RECEIVER_KEYS = (
    "distinct_base_url",
    "distinct_api_key",
    "distinct_admin_api_key",
    "event_api_base_url",
    "event_api_key",
    "client_api_base_url",
    "client_api_key",
)
"""What the shipped topology refers to, for the `--config` file; a topology sees all of the environment."""

_PREFIXED = ("kafka_", "schema_registry_", "consumer_", "ledger_", "admin_", "topology")


def keys() -> dict[str, str]:
    """Every key of the settings, with its attribute."""
    return {field.alias or name: name for name, field in SettingsModel.model_fields.items()}


def variable_of(key: str) -> str:
    """The environment variable of a key. MAX_PENDING could be anybody's: ours is CONSUMER_MAX_PENDING."""
    return key.upper() if key.startswith(_PREFIXED) else f"CONSUMER_{key.upper()}"
