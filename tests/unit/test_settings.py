"""Settings: flags over environment over file over defaults, every mistake at once, no secret shown."""

from pathlib import Path
from typing import Any

import pydantic
import pytest

from consumer.errors import ConfigurationError
from consumer.settings import Settings
from consumer.settings.model import SECRETS, keys, variable_of


def loaded(
    flags: dict[str, Any] | None = None, environment: dict[str, str] | None = None, file: Path | None = None
) -> Settings:
    return Settings.load(flags or {}, environment or {}, file)


def findings(
    flags: dict[str, Any] | None = None, environment: dict[str, str] | None = None, file: Path | None = None
) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        loaded(flags, environment, file)
    return caught.value.findings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "consumer.yaml"


def test_without_anything_there_are_defaults() -> None:
    settings = loaded()

    assert settings.consumer_group == "distinct-consumer"
    assert settings.ledger_url == "sqlite:///distinct-consumer.db"
    assert settings.admin_listen.startswith("127.0.0.1:")
    assert settings.topology is None
    assert settings.allow_plain_http is False


def test_flags_are_stronger_than_the_environment_and_that_than_the_file(config: Path) -> None:
    config.write_text("consumer_group: file\nledger_url: 'memory:'\nmax_pending: 5\n")
    environment = {"CONSUMER_GROUP": "environment", "LEDGER_URL": "sqlite:///e.db"}

    settings = loaded({"consumer_group": "flag", "ledger_url": None}, environment, config)

    assert (settings.consumer_group, settings.ledger_url, settings.max_pending) == (
        "flag",
        "sqlite:///e.db",
        5,
    )
    assert loaded({}, {}, config).consumer_group == "file"


def test_the_names_that_every_deployment_meets_are_fixed() -> None:
    fixed = {
        "KAFKA_BOOTSTRAP_SERVERS",
        "KAFKA_PROPERTIES",
        "SCHEMA_REGISTRY_URL",
        "CONSUMER_GROUP",
        "LEDGER_URL",
        "ADMIN_LISTEN",
        "TOPOLOGY",
    }

    assert fixed <= {variable_of(key) for key in keys()}


def test_no_variable_has_a_name_that_could_be_anybodys() -> None:
    ours = ("KAFKA_", "SCHEMA_REGISTRY_", "CONSUMER_", "LEDGER_", "ADMIN_")

    assert [name for name in map(variable_of, keys()) if not name.startswith(ours)] == ["TOPOLOGY"]


def test_the_environments_text_becomes_numbers_and_truths() -> None:
    settings = loaded(
        environment={
            "CONSUMER_MAX_PENDING": "50",
            "CONSUMER_MAX_PENDING_BYTES": "1MiB",
            "CONSUMER_DRAIN_TIMEOUT": "10s",
            "CONSUMER_ALLOW_PLAIN_HTTP": "true",
            "TOPOLOGY": "/etc/topology",
        }
    )

    assert (settings.max_pending, settings.max_pending_bytes, settings.drain_timeout_ms) == (
        50,
        1024**2,
        10_000,
    )
    assert settings.allow_plain_http is True
    assert settings.topology == Path("/etc/topology")


def test_an_empty_variable_counts_as_not_set() -> None:
    assert loaded(environment={"CONSUMER_GROUP": ""}).consumer_group == "distinct-consumer"


def test_every_mistake_of_every_source_is_named_with_its_place(config: Path) -> None:
    config.write_text("consumer_grup: x\nmax_pending: many\nhttp_client: curl\nclient_api_kee: x\n")

    found = findings(
        {"commit_interval": "1"}, {"CONSUMER_MAX_PENDING_BYTES": "1MB", "ADMIN_LISTEN": "9464"}, config
    )

    assert sorted(found) == sorted(
        [
            f"{config}:1: consumer_grup: unknown key; did you mean consumer_group?",
            f"{config}:2: max_pending: must be a whole number",
            f"{config}:3: http_client: must be httptools or httpx",
            f"{config}:4: client_api_kee: unknown key; did you mean client_api_key?",
            "--commit-interval: must be a duration such as 500ms, 20s, 20m, 1h or 7d",
            "environment variable CONSUMER_MAX_PENDING_BYTES: must be a size such as 800B, 512KiB or 64MiB",
            "environment variable ADMIN_LISTEN: must be host:port, such as 127.0.0.1:9464 or [::1]:9464",
        ]
    )


@pytest.mark.parametrize("text", ["9464", "localhost", ":9464", "localhost:x", "::1:9464", "h:65536", "h:-1"])
def test_an_address_to_listen_on_needs_host_and_port(text: str) -> None:
    (finding,) = findings(environment={"ADMIN_LISTEN": text})

    assert finding.startswith("environment variable ADMIN_LISTEN: ")


@pytest.mark.parametrize("text", ["127.0.0.1:0", "[::1]:9464", "consumer.example:80"])
def test_an_address_to_listen_on_is_taken(text: str) -> None:
    assert loaded(environment={"ADMIN_LISTEN": text}).admin_listen == text


def test_a_broken_config_file_is_one_message(config: Path) -> None:
    config.write_text("consumer_group: [x\n")
    assert [finding.partition(": ")[0] for finding in findings(file=config)] == [f"{config}:2"]

    assert findings(file=config.parent / "none.yaml") == [
        f"{config.parent}/none.yaml: the file can't be read: No such file or directory"
    ]


# -- secrets


def test_a_secret_may_come_from_a_file(tmp_path: Path, config: Path) -> None:
    secret = tmp_path / "auth"
    secret.write_text("svc:pass\n")
    config.write_text(f"schema_registry_basic_auth_file: {secret}\n")

    by_variable = loaded(environment={"SCHEMA_REGISTRY_BASIC_AUTH_FILE": str(secret)})
    by_config = loaded(file=config)

    assert by_variable.schema_registry_basic_auth == by_config.schema_registry_basic_auth == "svc:pass"


def test_a_secret_given_twice_is_refused(tmp_path: Path, config: Path) -> None:
    both = {"SCHEMA_REGISTRY_BASIC_AUTH": "a:b", "SCHEMA_REGISTRY_BASIC_AUTH_FILE": "/x"}

    (finding,) = findings(environment=both)

    assert finding.startswith("environment variable SCHEMA_REGISTRY_BASIC_AUTH_FILE: ")
    assert finding.endswith("is given itself and as a file: give one of them")


def test_a_secrets_file_that_cannot_be_read_or_is_empty_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")

    for file in (empty, tmp_path / "none"):
        (finding,) = findings(environment={"SCHEMA_REGISTRY_BASIC_AUTH_FILE": str(file)})
        assert finding.startswith("environment variable SCHEMA_REGISTRY_BASIC_AUTH_FILE: ")
        assert finding.endswith(f"the file {file} can't be read, or is empty")


def test_the_receivers_keys_of_the_file_reach_the_topology_below_the_environment(config: Path) -> None:
    config.write_text("client_api_base_url: https://file.example\ndistinct_api_key_file: /run/key\n")

    environment = loaded(environment={"CLIENT_API_BASE_URL": "https://env.example", "MINE": "x"}, file=config)

    assert environment.environment == {
        "CLIENT_API_BASE_URL": "https://env.example",
        "DISTINCT_API_KEY_FILE": "/run/key",
        "MINE": "x",
    }


def test_what_is_shown_holds_no_secret(tmp_path: Path, config: Path) -> None:
    properties = tmp_path / "client.properties"
    properties.write_text("security.protocol=SASL_SSL\nsasl.password=hunter2\nsome.new.option=hunter3\n")
    config.write_text("client_api_key: hunter4\n")
    settings = loaded(
        {"ledger_url": "redis://user:hunter5@ledger:6379/0"},
        {
            "KAFKA_PROPERTIES": str(properties),
            "SCHEMA_REGISTRY_BASIC_AUTH": "svc:hunter6",
            "DISTINCT_API_KEY": "hunter7",
            "DISTINCT_BASE_URL": "https://me:hunter8@distinct.example",
        },
        config,
    )

    shown = settings.masked()

    assert "hunter" not in repr(shown)
    assert shown["ledger_url"] == {
        "value": "redis://***@ledger:6379/0",
        "kind": "flag",
        "source": "--ledger-url",
    }
    assert shown["kafka_properties.security.protocol"]["value"] == "SASL_SSL"
    assert shown["kafka_properties.sasl.password"]["value"] == "***"
    assert shown["schema_registry_basic_auth"]["value"] == "***"
    assert shown["client_api_key"]["value"] == "***"
    assert shown["event_api_key"]["value"] is None
    assert shown["consumer_group"] == {"value": "distinct-consumer", "kind": "default", "source": "default"}


def test_printing_settings_by_accident_shows_no_secret() -> None:
    settings = loaded(
        environment={"SCHEMA_REGISTRY_BASIC_AUTH": "svc:hunter2", "DISTINCT_API_KEY": "hunter3"}
    )

    assert "hunter" not in f"{settings!r} {settings}"


def test_a_mistake_does_not_show_a_secret(config: Path) -> None:
    config.write_text("schema_registry_basic_auth: [hunter2]\nclient_api_key: {x: hunter3}\n")

    assert "hunter" not in "".join(findings(file=config))


# -- the registry and Kafka


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (
            "http://registry.example",
            "is plain http beyond this machine: use https, or allow it by --allow-plain-http",
        ),
        (
            "https://u:hunter2@registry.example",
            "must not hold a user name or password: use SCHEMA_REGISTRY_BASIC_AUTH",
        ),
        ("registry.example", "must start with https:// (http:// for this machine alone) and a host"),
        (
            "https://ok.example,http://registry.example",
            "is plain http beyond this machine: use https, or allow it by --allow-plain-http",
        ),
        ("https://[", "is not a URL; write https://host or https://host:port"),
    ],
)  # fmt: skip
def test_an_unsafe_registry_is_refused(url: str, text: str) -> None:
    (finding,) = findings(environment={"SCHEMA_REGISTRY_URL": url})

    assert finding == f"environment variable SCHEMA_REGISTRY_URL: {text}"


@pytest.mark.parametrize(
    "url", ["https://registry.example", "http://127.0.0.1:8081", "http://[::1]:8081", "http://localhost", "mock://x"]
)  # fmt: skip
def test_a_safe_registry_is_taken(url: str) -> None:
    assert loaded(environment={"SCHEMA_REGISTRY_URL": url}).schema_registry_url == url


def test_plain_http_is_taken_where_it_is_allowed() -> None:
    url = "http://registry.example"

    assert loaded({"allow_plain_http": True, "schema_registry_url": url}).schema_registry_url == url


def test_kafkas_options_come_from_the_properties_file_and_may_name_the_brokers(tmp_path: Path) -> None:
    properties = tmp_path / "client.properties"
    properties.write_text("bootstrap.servers=a:9092\nsecurity.protocol=SSL\n")

    settings = loaded(environment={"KAFKA_PROPERTIES": str(properties)})

    assert settings.kafka_options == {"bootstrap.servers": "a:9092", "security.protocol": "SSL"}
    assert settings.bootstrap_servers == "a:9092"
    stronger = loaded({"kafka_bootstrap_servers": "b:9092"}, {"KAFKA_PROPERTIES": str(properties)})
    assert stronger.bootstrap_servers == "b:9092"


def test_a_mistake_in_the_properties_file_has_its_line(tmp_path: Path) -> None:
    properties = tmp_path / "client.properties"
    properties.write_text("a=1\na=2\n")

    assert findings({"kafka_properties": str(properties)}) == [f"{properties}:2: a: is set twice"]


def test_what_a_consumer_lacks_is_told_with_the_ways_to_set_it() -> None:
    first, second = loaded().missing()

    assert first == (
        "KAFKA_BOOTSTRAP_SERVERS is not set: set it, or kafka_bootstrap_servers in the --config file, "
        "or give --kafka-bootstrap-servers"
    )
    assert second.startswith("SCHEMA_REGISTRY_URL is not set")
    assert (
        loaded({"kafka_bootstrap_servers": "a:1", "schema_registry_url": "https://r.example"}).missing() == []
    )


def test_settings_do_not_change() -> None:
    settings = loaded()

    with pytest.raises(pydantic.ValidationError):
        settings.consumer_group = "other"  # type: ignore[misc]


def test_every_setting_says_what_it_is_for() -> None:
    fields = Settings.model_fields.values()

    assert [field for field in fields if not (field.description or "").endswith((".", ":"))] == []
    assert set(keys()) >= SECRETS
