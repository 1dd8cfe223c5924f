"""The flags of the settings: all of them, each with a shape that says what to write."""

import click
import pytest
from click.testing import CliRunner

from consumer.cli.command import command
from consumer.cli.run import run
from consumer.cli.settings_options import SHAPES
from consumer.settings.model import SECRETS, keys, variable_of


def walked(group: click.Group, above: tuple[str, ...] = ()) -> dict[str, click.Command]:
    """Every command that does something, by its words."""
    found: dict[str, click.Command] = {}
    for name, one in group.commands.items():
        words = (*above, name)
        found |= walked(one, words) if isinstance(one, click.Group) else {" ".join(words): one}
    return found


COMMANDS = walked(command)


def options(of: click.Command) -> list[click.Option]:
    return [one for one in of.params if isinstance(one, click.Option)]


def help_of(*arguments: str) -> str:
    result = CliRunner().invoke(command, [*arguments, "--help"], terminal_width=80)
    assert result.exit_code == 0
    return result.stdout


def test_every_setting_is_a_flag_of_run_but_for_the_secrets() -> None:
    flags = {name for option in options(run) for name in option.opts}

    assert set(SHAPES) == set(keys()) - SECRETS
    assert {f"--{key.replace('_', '-')}" for key in SHAPES} <= flags
    assert not {f"--{key.replace('_', '-')}" for key in SECRETS} & flags


def test_the_help_of_run_names_the_variable_of_every_setting() -> None:
    text = help_of("run")
    for key in SHAPES:
        assert f"env:\N{NO-BREAK SPACE}{variable_of(key)}" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_described_with_examples_within_80_columns(name: str) -> None:
    text = help_of(*name.split())

    assert text.startswith(f"Usage: command {name} [OPTIONS]")
    assert f"  distinct-consumer {name}" in text[text.index("Examples:") :]
    assert max(map(len, text.splitlines())) <= 80
    assert "TEXT" not in text
    assert "RANGE" not in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_is_explained(name: str) -> None:
    assert [one.opts for one in options(COMMANDS[name]) if not one.help] == []


def test_the_list_of_commands_tells_what_each_does_in_full() -> None:
    text = help_of()

    assert "..." not in text[text.index("Commands:") :]
    assert all(f"  {name} " in text for name in command.commands)


def test_choices_are_refused_where_they_are_made() -> None:
    result = CliRunner().invoke(run, ["--log-level", "loud"])

    assert result.exit_code == 2
    assert "'debug', 'info', 'warning', 'error'" in result.stderr
