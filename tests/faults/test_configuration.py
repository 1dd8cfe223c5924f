"""Fault 34: a wrong configuration. One clear message that names key and file, no stack trace, no secret.

More of the kind, mistake by mistake, is in tests/e2e/test_mistakes.py.
"""

import json
import shutil
from pathlib import Path

import pytest

from consumer.resources import topology_dir
from tests.brokers import Broker, SchemaRegistry
from tests.e2e.command import run
from tests.e2e.test_mistakes import COMPLETE, refused, without
from tests.integration.topology_copy import copy_topology

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there


def changed_topology(folder: Path, before: str, after: str) -> str:
    """A copy of the shipped one with one line changed; gives its folder."""
    copy = folder / "topology"
    shutil.copytree(topology_dir(), copy)
    file = copy / "client.yaml"
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))
    return str(copy)


def test_34_an_unknown_key_is_named_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("ledger_urll: x\n")
    assert refused(tmp_path, "--config", "c.yaml", **COMPLETE) == (
        "error: c.yaml:1: ledger_urll: unknown key; did you mean ledger_url?"
    )
    topology = changed_topology(tmp_path, "    from: user-events", "    form: user-events")
    lines = refused(tmp_path, "--topology", topology, **COMPLETE).splitlines()
    assert any(
        "client.yaml:" in line and "form: unknown key; did you mean from?" in line for line in lines
    ), lines


def test_34_a_wrong_type_is_named_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("max_pending: [canary]\n")
    message = refused(tmp_path, "--config", "c.yaml", **COMPLETE)
    assert message == "error: c.yaml:1: max_pending: must be a whole number"


@pytest.mark.parametrize("name", ["DISTINCT_API_KEY", "CLIENT_API_KEY", "EVENT_API_KEY"])
def test_34_a_missing_secret_is_named_with_the_line_that_refers_to_it(tmp_path: Path, name: str) -> None:
    lines = refused(tmp_path, **without(name)).splitlines()
    assert all(f"{name} is not set" in line and ".yaml:" in line for line in lines)

    gone = {f"{name}_FILE": str(tmp_path / "no-such-secret")}
    assert "no-such-secret does not exist" in refused(tmp_path, **without(name), **gone)


def test_34_what_cannot_be_reached_is_named_with_its_setting(tmp_path: Path) -> None:
    ended = run(
        "check", "--online", "--output", "json", folder=tmp_path, **COMPLETE, DISTINCT_BASE_URL=NOBODY
    )

    seen = {(one["area"], one["name"]): one for one in json.loads(ended.stdout)["online"]}
    told = {
        ("broker", ""): "KAFKA_BOOTSTRAP_SERVERS",
        ("registry", ""): "SCHEMA_REGISTRY_URL",
        ("credential", "user-analytics"): f"cannot connect: {NOBODY.removeprefix('http://')}",
        ("credential", "client"): "cannot connect",
    }
    for about, text in told.items():
        assert text in seen[about]["text"], seen[about]
    assert seen["broker", ""]["state"] == seen["registry", ""]["state"] == "failed"
    assert (
        ended.exit_code == 1
    )  # nothing is wrong with the words of the configuration: 2 would say "no restart helps"
    assert "Traceback" not in ended.stderr
    assert "canary" not in ended.stderr + ended.stdout


def test_34_a_topic_that_does_not_exist_ends_the_run_as_a_mistake(
    broker: Broker, registry: SchemaRegistry, tmp_path: Path
) -> None:
    topic = broker.unused("nowhere")
    topology = copy_topology(tmp_path / "topology", topic)
    settings = {
        **COMPLETE,
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "SCHEMA_REGISTRY_URL": registry.url,
    }

    message = refused(tmp_path, "--topology", str(topology), **settings)

    assert (
        message
        == f"error: topic '{topic}' does not exist on this cluster: create it, or correct the topology"
    )
