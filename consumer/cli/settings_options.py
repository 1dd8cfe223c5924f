"""Flags of the settings, made from the settings themselves, for the commands that take them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from consumer.settings import Settings
from consumer.settings.model import SECRETS, SettingsModel, keys, variable_of

F = TypeVar("F", bound=Callable[..., Any])

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="YAML file of settings; flags and environment variables are stronger.",
)


def settings_options(*chosen: str) -> Callable[[F], F]:
    """Add `--config` and the flags of these settings, or of all; the command gets them by their keys."""
    attributes = keys()

    def add(command: F) -> F:
        for key in reversed(chosen or [key for key in attributes if key not in SECRETS]):
            field = SettingsModel.model_fields[attributes[key]]
            flag = f"--{key.replace('_', '-')}"
            text = f"{field.description}  [{variable_of(key)}]"
            switch = field.annotation is bool
            command = click.option(flag, key, is_flag=switch, default=None, help=text)(command)
        return config_option(command)

    return add


def load_settings(config: Path | None, flags: dict[str, Any]) -> Settings:
    """The settings of this process. Raises ConfigurationError with every mistake."""
    return Settings.load(flags, os.environ, config)
