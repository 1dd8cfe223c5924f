"""A plan as people and programs see it, and the question before it is carried out."""

import io

import pytest
from rich.console import Console

from consumer.cli.changes import as_json, print_changes
from consumer.cli.provisioning import agree, refuse_if_unsafe
from consumer.core.changes import (
    AddPartitions,
    Caution,
    Changes,
    CreateTopic,
    Refused,
    RegisterSchema,
    SetCompatibility,
    SetConfig,
)
from consumer.errors import RefusedError

PLAN = Changes(
    (
        CreateTopic("a.dead-letters", 3, 1, {"retention.ms": "5", "cleanup.policy": "delete"}),
        AddPartitions("a", 3, 5),
        SetConfig("a", "max.message.bytes", None, "7"),
        RegisterSchema("a-value", 2, '"a long schema"'),
        SetCompatibility("a-value", "BACKWARD", "FULL"),
    ),
    (Refused("b", "it has 9 partitions"),),
    (Caution("a", "keys move [to] others"),),
    4,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_people_read_a_line_a_change_and_what_is_refused_and_warned_of() -> None:
    out = io.StringIO()

    print_changes(PLAN, Console(file=out, width=200, highlight=False))

    assert [" ".join(line.split()) for line in out.getvalue().splitlines()] == [
        "create topic a.dead-letters 3 partitions, replication 1, cleanup.policy=delete, retention.ms=5",
        "add partitions a 3 → 5",
        "set config a max.message.bytes: unknown → 7",
        "register schema a-value as version 3",
        "set compatibility a-value BACKWARD → FULL",
        "refused: b: it has 9 partitions",
        "warning: a: keys move [to] others",
    ]


def test_programs_read_the_same_with_stable_keys() -> None:
    document = as_json(PLAN)

    assert document["changes"] == [
        {
            "change": "create_topic",
            "topic": "a.dead-letters",
            "partitions": 3,
            "replication": 1,
            "configs": {"retention.ms": "5", "cleanup.policy": "delete"},
        },
        {"change": "add_partitions", "topic": "a", "before": 3, "after": 5},
        {"change": "set_config", "topic": "a", "name": "max.message.bytes", "before": None, "after": "7"},
        {"change": "register_schema", "subject": "a-value", "known": 2},
        {"change": "set_compatibility", "subject": "a-value", "before": "BACKWARD", "after": "FULL"},
    ]
    assert document["refused"] == [{"about": "b", "text": "it has 9 partitions"}]
    assert document["warnings"] == [{"about": "a", "text": "keys move [to] others"}]
    assert document["unchanged"] == 4


@pytest.mark.parametrize(("answer", "agreed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_only_a_yes_is_one(monkeypatch: pytest.MonkeyPatch, answer: str, agreed: bool) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", said := Terminal())

    if agreed:
        agree(PLAN, yes=False)
    else:
        with pytest.raises(RefusedError, match="nothing was changed"):
            agree(PLAN, yes=False)

    assert "Make these 5 changes?" in said.getvalue()


def test_without_a_terminal_it_must_be_said_and_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    with pytest.raises(RefusedError, match="--yes") as caught:
        agree(PLAN, yes=False)
    assert caught.value.exit_code == 4
    agree(PLAN, yes=True)


def test_one_refusal_stops_all() -> None:
    with pytest.raises(RefusedError, match="one thing asked for would delete or shrink"):
        refuse_if_unsafe(PLAN)
    refuse_if_unsafe(Changes(PLAN.changes))
