"""Flags of the settings, made from the settings themselves, for the commands that take them."""

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin

import click

from consumer.cli.sections import SectionOption
from consumer.kafka.options import refused_options
from consumer.settings import Settings
from consumer.settings.document import Finding
from consumer.settings.model import SettingsModel, keys, variable_of
from consumer.settings.units import show_duration, show_size

F = TypeVar("F", bound=Callable[..., Any])


class Shape(NamedTuple):
    """How a setting is shown as a flag: its section, and what stands for its value."""

    section: str
    metavar: str | None = None
    """None where the choices stand there, or nothing."""
    show: Callable[[Any], str] = str
    """The default as people write it."""


SHAPES: Mapping[str, Shape] = {
    "topology": Shape("What goes where", "DIR"),
    "schemas": Shape("What goes where", "DIR"),
    "kafka_bootstrap_servers": Shape("Kafka", "HOST:PORT,…"),
    "kafka_properties": Shape("Kafka", "PATH"),
    "consumer_group": Shape("Kafka", "NAME"),
    "instance_id": Shape("Kafka", "NAME"),
    "group_protocol": Shape("Kafka"),
    "commit_interval": Shape("Kafka", "DURATION", show_duration),
    "schema_registry_url": Shape("Schema registry", "URL"),
    "schema_registry_ca_file": Shape("Schema registry", "PATH"),
    "schema_registry_certificate_file": Shape("Schema registry", "PATH"),
    "schema_registry_key_file": Shape("Schema registry", "PATH"),
    "max_pending": Shape("Bounds", "N"),
    "max_pending_bytes": Shape("Bounds", "SIZE", show_size),
    "drain_timeout": Shape("Bounds", "DURATION", show_duration),
    "ledger_url": Shape("Ledger", "URL"),
    "ledger_ca_file": Shape("Ledger", "PATH"),
    "ledger_certificate_file": Shape("Ledger", "PATH"),
    "ledger_key_file": Shape("Ledger", "PATH"),
    "ledger_keep_keys": Shape("Ledger", "DURATION", show_duration),
    "ledger_keep_windows": Shape("Ledger", "DURATION", show_duration),
    "ledger_keep_once": Shape("Ledger", "DURATION", show_duration),
    "stuck_after": Shape("Process", "DURATION", show_duration),
    "stalled_after": Shape("Process", "DURATION", show_duration),
    "admin_listen": Shape("Process", "HOST:PORT"),
    "avro_reader": Shape("Process"),
    "http_client": Shape("Process"),
    "allow_plain_http": Shape("Process"),
    "log_level": Shape("Process"),
}
"""Every setting that is a flag, in the order of the help."""

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="YAML file of settings. Flags and environment variables are stronger.",
)


def settings_options(*chosen: str, sections: bool = True) -> Callable[[F], F]:
    """Add `--config` and the flags of these settings, or of all; the command gets them by their keys.

    `sections`: under the headings of a SectionedCommand; else among its other options.
    """

    def add(command: F) -> F:
        for key in reversed(chosen or list(SHAPES)):
            command = _flag(key, sections)(command)
        return config_option(command)

    return add


def _flag(key: str, sections: bool) -> Callable[[F], F]:
    field = SettingsModel.model_fields[keys()[key]]
    shape = SHAPES[key]
    switch = field.annotation is bool
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else None
    # Spaces at which no line is broken: the name stays with its word.
    notes = [f"env:\N{NO-BREAK SPACE}{variable_of(key)}"]
    if field.default is not None and not switch:
        notes.append(f"default:\N{NO-BREAK SPACE}{shape.show(field.default)}")
    attributes: dict[str, Any] = {"section": shape.section, "cls": SectionOption} if sections else {}
    return click.option(
        f"--{key.replace('_', '-')}",
        key,
        is_flag=switch,
        default=None,
        type=click.Choice(choices) if choices else None,
        metavar=shape.metavar,
        help=f"{field.description}  [{'; '.join(notes)}]",
        **attributes,
    )


def load_settings(
    config: Path | None, flags: Mapping[str, Any], *, only: Collection[str] | None = None
) -> Settings:
    """The settings of this process; `only`: these of them, and the defaults of the others. Raises ConfigurationError
    with every mistake."""
    return Settings.load(flags, os.environ, config, only=only)


def option_faults(settings: Settings) -> list[str]:
    """Every option of `kafka_properties` that Kafka's client does not take, with its line."""
    if not settings.kafka_options:
        return []
    refused = refused_options(settings.kafka_options)
    faults = [Finding(settings.kafka_option_place(name), name, text) for name, text in refused]
    return list(map(str, sorted(faults)))
