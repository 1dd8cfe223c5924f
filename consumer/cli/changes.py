"""What would be changed, as a table for people and as JSON."""

from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from consumer.core.changes import (
    AddPartitions,
    Change,
    Changes,
    CreateTopic,
    RegisterSchema,
    SetCompatibility,
    SetConfig,
)

_WIDTH_OF_A_FILE = 200
"""Where nobody looks at a terminal, lines are not broken."""


def console_of(*, stderr: bool = False) -> Console:
    """A console whose tables are whole in a file, too."""
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=_WIDTH_OF_A_FILE)


def print_changes(changes: Changes, console: Console) -> None:
    """The changes in their order, then what is refused and what one should know."""
    if changes.changes:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column()
        for change in changes.changes:
            table.add_row(*described(change))
        console.print(table)
    for one in changes.refusals:
        console.print(f"refused: {one.about}: {one.text}", markup=False)
    for caution in changes.warnings:
        console.print(f"warning: {caution.about}: {caution.text}", markup=False)


def described(change: Change) -> tuple[str, str, str]:
    """What is done, to what, and the values."""
    match change:
        case CreateTopic(topic, partitions, replication, configs):
            told = [f"{partitions} partitions", f"replication {replication}"]
            told += [f"{name}={value}" for name, value in sorted(configs.items())]
            return "create topic", topic, ", ".join(told)
        case AddPartitions(topic, before, after):
            return "add partitions", topic, f"{before} → {after}"
        case SetConfig(topic, name, before, after):
            return "set config", topic, f"{name}: {'unknown' if before is None else before} → {after}"
        case RegisterSchema(subject, known, _):
            return "register schema", subject, f"as version {known + 1}" if known else "as its first version"
        case SetCompatibility(subject, before, after):
            return "set compatibility", subject, f"{before} → {after}"


def as_json(changes: Changes) -> dict[str, Any]:
    """All of it; a schema's text is left out, as it stands in its file."""
    listed = [msgspec.to_builtins(change) for change in changes.changes]
    for one in listed:
        one.pop("text", None)
    return {
        "changes": listed,
        "refused": [msgspec.to_builtins(one) for one in changes.refusals],
        "warnings": [msgspec.to_builtins(one) for one in changes.warnings],
        "unchanged": changes.same,
    }
