"""`topology apply`: what stands between a plan and its carrying out."""

from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumer.cli import topology_apply
from consumer.cli.command import command
from consumer.core.changes import AddPartitions, Change, Changes
from consumer.errors import ConfigurationError, RefusedError

PLAN = Changes((AddPartitions("a", 1, 2),))
ADDRESSES = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "SCHEMA_REGISTRY_URL": "http://127.0.0.1:9"}


class Played:
    """A cluster that is found so, look by look, and what is made of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *found: Changes) -> None:
        self._found = list(found)
        self.made: list[Change] = []
        monkeypatch.setattr(topology_apply, "find_difference", lambda asked: self._found.pop(0))
        monkeypatch.setattr(topology_apply, "make", self._make)
        monkeypatch.setattr(topology_apply, "agree", lambda changes, yes: None)

    def _make(self, asked: Any, changes: Changes, told: Any) -> None:
        self.made += changes.changes


def apply(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["topology", "apply", *arguments], env=ADDRESSES)


def test_what_was_agreed_to_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch, PLAN, PLAN)

    result = apply()

    assert result.exit_code == 0, result.exception
    assert played.made == list(PLAN.changes)


def test_a_cluster_that_changed_while_the_question_stood_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = Played(monkeypatch, PLAN, Changes((AddPartitions("a", 3, 2),)))

    result = apply()

    assert isinstance(result.exception, RefusedError)
    assert "plan again" in str(result.exception)
    assert played.made == []


def test_without_an_address_it_is_a_mistake_that_names_the_settings() -> None:
    nothing = dict.fromkeys(ADDRESSES)

    result = CliRunner().invoke(command, ["topology", "plan"], env=nothing)

    assert isinstance(result.exception, ConfigurationError)
    assert [text.split()[0] for text in result.exception.findings] == list(ADDRESSES)
