"""`schema lint` and `register`: what is told of a directory of schemas, offline; what is done, and only then."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumer.cli.command import command
from consumer.errors import ConfigurationError, RefusedError, UsageError
from consumer.resources import schemas_dir
from tests.brokers import SchemaRegistry
from tests.unit.topology.workshop import FILE, SCHEMA, Workshop

EMPTY = dict.fromkeys(name for name in os.environ if name.startswith(("CONSUMER_", "SCHEMA_", "TOPOLOGY")))


def changed(**field: Any) -> str:
    """The usual schema with another field."""
    return json.dumps({**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "more", **field}]})  # type: ignore[misc]


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    workshop = Workshop(tmp_path)
    workshop.write("t.yaml", FILE)
    (tmp_path / "history" / "visit").mkdir(parents=True)
    (tmp_path / "history" / "visit" / "1.avsc").write_text(json.dumps(SCHEMA))
    return workshop


def run(workshop: Workshop, *arguments: str, url: str | None = None) -> Result:
    folder = str(workshop.folder)
    words = ["schema", *arguments, "--schemas", folder, "--topology", folder]
    return CliRunner().invoke(command, words, env={**EMPTY, "SCHEMA_REGISTRY_URL": url})


def faults(result: Result) -> list[str]:
    assert isinstance(result.exception, ConfigurationError)
    assert result.exception.exit_code == 2
    return result.exception.findings


def test_the_shipped_schemas_are_sound_towards_all_before_them() -> None:
    result = CliRunner().invoke(command, ["schema", "lint", "--schemas", str(schemas_dir())], env=EMPTY)

    assert result.exit_code == 0, result.exception
    assert "user-event: sound, FULL_TRANSITIVE towards 1 earlier version" in result.stdout


def test_a_sound_change_is_told_to_be_missing_in_the_history(workshop: Workshop) -> None:
    workshop.write("visit.avsc", changed(type="int", default=0))

    result = run(workshop, "lint")

    assert result.exit_code == 0
    assert "visit: sound, FULL_TRANSITIVE towards 1 earlier version" in result.stdout
    assert "record it as 2.avsc" in result.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (changed(type="int"), "visit.avsc cannot read data of history/visit/1.avsc: more"),
        (changed(type="int", default="none"), "visit.avsc: more: its default does not fit its type"),
        (
            changed(type=["null", "shop.Visit"], default=None),
            "could not be decoded: refused schema: recursive",
        ),
        ("{", "visit.avsc is not an Avro schema"),
    ],
)
def test_faults_are_told_with_file_version_and_place_and_end_with_exit_code_2(
    workshop: Workshop, text: str, told: str
) -> None:
    workshop.write("visit.avsc", text)

    (fault,) = faults(run(workshop, "lint"))

    assert told in fault
    assert fault.startswith(str(workshop.folder))


def test_json_tells_the_faults_of_each_schema(workshop: Workshop) -> None:
    workshop.write("visit.avsc", changed(type="int"))
    workshop.write("other.avsc", json.dumps(SCHEMA))

    result = run(workshop, "lint", "--output", "json")

    shown = json.loads(result.stdout)
    assert shown["sound"] is False
    assert [(one["name"], one["earlier_versions"], len(one["faults"])) for one in shown["schemas"]] == [
        ("other", 0, 0),
        ("visit", 1, 1),
    ]


def test_another_level_and_a_schema_by_its_name_can_be_asked_for(workshop: Workshop) -> None:
    workshop.write("visit.avsc", changed(type="int"))
    workshop.write("other.avsc", json.dumps(SCHEMA))

    assert run(workshop, "lint", "--compatibility", "FORWARD").exit_code == 0
    assert run(workshop, "lint", "other").exit_code == 0
    assert "did you mean visit?" in faults(run(workshop, "lint", "vsit"))[0]


@pytest.mark.parametrize(
    ("name", "told"), [("3.avsc", "2.avsc is missing"), ("old.avsc", "named by its number")]
)
def test_a_history_that_is_not_whole_is_refused(workshop: Workshop, name: str, told: str) -> None:
    (workshop.folder / "history" / "visit" / name).write_text("{}")

    assert told in faults(run(workshop, "lint"))[0]


def test_a_history_without_its_schema_is_told(workshop: Workshop) -> None:
    (workshop.folder / "visit.avsc").unlink()

    assert "visit.avsc: can't be read" in faults(run(workshop, "lint"))[0]


def test_online_needs_an_address(workshop: Workshop) -> None:
    assert isinstance(run(workshop, "lint", "--online").exception, UsageError)


def test_register_acts_with_execute_only_and_records_what_it_registered(
    workshop: Workshop, registry: SchemaRegistry
) -> None:
    workshop.write("visit.avsc", changed(type="int", default=0))

    planned = run(workshop, "register", url=registry.url)
    assert "register schema  visits-value  as its first version" in planned.stdout
    assert "nothing is changed without --execute" in planned.stderr
    assert not [path for method, path in registry.requests if method == "POST" and path.endswith("/versions")]

    done = run(workshop, "register", "--execute", "--record", "--output", "json", url=registry.url)
    assert done.exit_code == 0, done.exception
    assert [one["change"] for one in json.loads(done.stdout)["changes"]] == ["register_schema"]
    assert (workshop.folder / "history" / "visit" / "2.avsc").read_text() == changed(type="int", default=0)

    again = run(workshop, "register", "--execute", "--record", url=registry.url)
    assert "nothing to change" in again.stderr
    assert sorted(path.name for path in (workshop.folder / "history" / "visit").iterdir()) == [
        "1.avsc",
        "2.avsc",
    ]


def test_register_refuses_what_breaks_the_versions_under_the_subject(
    workshop: Workshop, registry: SchemaRegistry
) -> None:
    registry.register("visits-value", changed(type="int"))
    workshop.write("t.yaml", FILE.replace("schema: visit", "schema: visit\n    compatibility: FORWARD"))

    result = run(workshop, "register", "--execute", url=registry.url)

    assert isinstance(result.exception, RefusedError)
    assert result.exception.exit_code == 4
    assert "version 1 cannot read data of the new schema: more" in result.stdout
    assert ("PUT", "/config/visits-value") not in registry.requests


def test_a_schema_that_no_topic_has_needs_a_subject(workshop: Workshop, registry: SchemaRegistry) -> None:
    workshop.write("other.avsc", json.dumps({**SCHEMA, "name": "Other"}))

    assert "or say --subject" in faults(run(workshop, "register", "other", url=registry.url))[0]
    done = run(workshop, "register", "other", "--subject", "others-value", "--execute", url=registry.url)

    assert done.exit_code == 0, done.exception
    assert "done: register schema others-value" in done.stderr


@pytest.mark.parametrize("arguments", [["--record"], ["--subject", "x"]])
def test_flags_that_need_another_are_refused_without_it(workshop: Workshop, arguments: list[str]) -> None:
    assert isinstance(run(workshop, "register", *arguments).exception, UsageError)
