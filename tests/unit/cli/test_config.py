"""`config show` and `config schema`: each value with its source and no secret; schemas that take what ships."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from consumer.cli.command import command
from consumer.resources import topology_dir

EMPTY = {
    name: None
    for name in os.environ
    if name.startswith(("CONSUMER_", "KAFKA_", "LEDGER_", "SCHEMA_", "ADMIN_", "TOPOLOGY"))
}


def run(*arguments: str, **environment: str) -> Result:
    result = CliRunner().invoke(command, ["config", *arguments], env={**EMPTY, **environment})
    assert result.exit_code == 0, result.exception
    return result


def shown(*arguments: str, **environment: str) -> dict[str, dict[str, Any]]:
    decoded = json.loads(run("show", "--output", "json", *arguments, **environment).stdout)
    assert isinstance(decoded, dict)
    return decoded


def test_each_value_says_where_it_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("max_pending: 7\nclient_api_base_url: https://crm.example\nclient_api_key: hunter1\n")

    settings = shown(
        "--config", str(file), "--drain-timeout", "5s",
        LEDGER_URL="memory:", DISTINCT_API_KEY_FILE="/run/secrets/distinct",
    )  # fmt: skip

    def told(key: str) -> tuple[Any, str, str]:
        one = settings[key]
        return one["value"], one["kind"], one["source"]

    assert told("max_pending") == (7, "file", f"{file}:1")
    assert told("drain_timeout") == ("5s", "flag", "--drain-timeout")
    assert told("ledger_url") == ("memory:", "environment", "environment variable LEDGER_URL")
    assert told("consumer_group") == ("distinct-consumer", "default", "default")
    assert told("client_api_base_url") == ("https://crm.example", "file", f"{file}:2")
    assert told("client_api_key") == ("***", "file", f"{file}:3")
    assert told("distinct_api_key") == ("***", "environment", "environment variable DISTINCT_API_KEY_FILE")
    assert told("event_api_key") == (None, "default", "default")


def test_the_environment_is_stronger_than_the_file_for_keys_too(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("client_api_key: hunter1\n")

    settings = shown("--config", str(file), CLIENT_API_KEY="hunter2")

    assert settings["client_api_key"]["source"] == "environment variable CLIENT_API_KEY"


def test_no_secret_is_shown_in_either_form(tmp_path: Path) -> None:
    properties = tmp_path / "k.properties"
    properties.write_text("sasl.password=hunter1\nsasl.username=hunter2\nsecurity.protocol=SASL_SSL\n")
    secrets = {
        "KAFKA_PROPERTIES": str(properties),
        "SCHEMA_REGISTRY_BASIC_AUTH": "svc:hunter3",
        "LEDGER_URL": "redis://me:hunter4@ledger/0",
        "CLIENT_API_KEY": "hunter5",
        "DISTINCT_BASE_URL": "https://me:hunter6@api.example",
    }

    table, document = run("show", **secrets).stdout, run("show", "--output", "json", **secrets).stdout

    assert "hunter" not in table + document
    assert "SASL_SSL" in table
    assert "***" in table


def test_the_table_has_durations_and_sizes_with_their_units() -> None:
    lines = {line.split()[0]: line.split()[1] for line in run("show").stdout.splitlines()}

    assert (lines["drain_timeout"], lines["max_pending_bytes"]) == ("25s", "64MiB")


def schema_of(which: str) -> dict[str, Any]:
    decoded = json.loads(run("schema", which).stdout)
    jsonschema.Draft202012Validator.check_schema(decoded)
    return dict(decoded)


@pytest.mark.parametrize("file", sorted(topology_dir().glob("*.yaml")), ids=lambda file: file.name)
def test_the_topologys_schema_takes_what_ships(file: Path) -> None:
    jsonschema.validate(yaml.safe_load(file.read_text("utf-8")), schema_of("topology"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": {}},
        {"topics": {"t": {"partitons": 3}}},
        {"topics": {"t": {"retention": 7}}},
        {"topics": {"t": {"compatibility": "FULLY"}}},
        {"destinations": {"d": {"api": "x", "base_url": "https://x"}}},
    ],
)
def test_the_topologys_schema_refuses_what_check_refuses(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema_of("topology"))


def test_the_settings_schema_takes_a_file_and_refuses_a_misspelt_key() -> None:
    schema = schema_of("settings")
    sound = {
        "max_pending": 5,
        "drain_timeout": "25s",
        "ledger_url": "memory:",
        "client_api_key_file": "/run/secrets/client",
        "schema_registry_basic_auth_file": "/run/secrets/registry",
    }

    jsonschema.validate(sound, schema)
    for wrong in ({"max_pendin": 5}, {"drain_timeout": 25}, {"max_pending": 0}, {"log_level": "loud"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_defaults_stand_in_the_schemas_as_they_are_written() -> None:
    settings = schema_of("settings")["properties"]
    linger = schema_of("topology")["$defs"]["BatchModel"]["properties"]["linger"]

    assert (settings["drain_timeout"]["default"], settings["max_pending_bytes"]["default"]) == (
        "25s",
        "64MiB",
    )
    assert linger["default"] == "20ms"
