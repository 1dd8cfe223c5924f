"""`schema register`: schemas under their subjects, proven first."""

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

import click
import orjson

from consumer.avro.history import is_recorded, read_history, read_version, record
from consumer.avro.lint import lint
from consumer.avro.policy import AvroPolicy
from consumer.cli.changes import as_json, console_of, print_changes
from consumer.cli.provisioning import read_plan, refuse_if_unsafe, schema_folders, tell
from consumer.cli.sections import SectionedCommand
from consumer.cli.service import registry_of
from consumer.cli.settings_options import load_settings, settings_options
from consumer.core.changes import Changes
from consumer.core.cluster import WantedSubject
from consumer.errors import ConfigurationError, UsageError
from consumer.operations.provision import carry_out, subject_difference
from consumer.settings import Settings
from consumer.settings.mistakes import nearest
from consumer.settings.model import variable_of
from consumer.topology.avro_schema import schema_file


@click.command(
    cls=SectionedCommand,
    short_help="Register schemas under their subjects, after the proof.",
    epilog="""\b
Examples:
  distinct-consumer schema register
  distinct-consumer schema register user-event --execute --record
  distinct-consumer schema register order --subject orders-value --execute
""",
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--subject",
    metavar="NAME",
    help="Register under this subject, instead of those of the topology; needs one schema's name.",
)
@click.option("--execute", is_flag=True, help="Register. Without it, what would be done is shown.")
@click.option(
    "--record", "recorded", is_flag=True, help="With --execute: also add the schema to its history/ folder."
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the plan is printed.",
)
@settings_options(
    "topology",
    "schemas",
    "schema_registry_url",
    "schema_registry_ca_file",
    "schema_registry_certificate_file",
    "schema_registry_key_file",
    "allow_plain_http",
)
def register(
    config: Path | None,
    names: tuple[str, ...],
    subject: str | None,
    execute: bool,
    recorded: bool,
    output: str,
    **flags: Any,
) -> None:
    """Register NAME.avsc, or each schema of the topology, under its subject; set its compatibility.

    Before that it is proven against its history and against the versions under the subject. Exits 2 for a
    faulty schema, and 4, with nothing changed, where the subject's compatibility would be broken.
    """
    if recorded and not execute:
        raise UsageError("--record adds what was registered to the history: give --execute too")
    settings = load_settings(config, flags)
    wanted = _wanted(settings, names, subject)
    if settings.schema_registry_url is None:
        registry = variable_of("schema_registry_url")
        raise ConfigurationError([text for text in settings.missing() if text.startswith(registry)])
    _prove_from_files(wanted)
    changes = asyncio.run(_difference(settings, [one.subject for one in wanted]))
    print_changes(changes, console_of(stderr=output == "json"))
    refuse_if_unsafe(changes)
    if execute and changes.changes:
        asyncio.run(_carry_out(settings, changes))
    if recorded:
        _record([one.file for one in wanted])
    if not changes.changes:
        click.echo("nothing to change", err=True)
    elif not execute:
        click.echo("nothing is changed without --execute", err=True)
    if output == "json":
        click.echo(orjson.dumps({"executed": execute, **as_json(changes)}, option=orjson.OPT_INDENT_2))


class _Wanted(NamedTuple):
    """A schema's file, and the subject that it is for."""

    file: Path
    subject: WantedSubject


def _wanted(settings: Settings, names: tuple[str, ...], subject: str | None) -> list[_Wanted]:
    """What is wanted of the registry. Raises ConfigurationError or UsageError."""
    folders = schema_folders(settings)
    if subject is not None:
        if len(names) != 1:
            raise UsageError("--subject is one schema's: name that schema, and no other")
        file = _file(names[0], folders)
        return [_Wanted(file, WantedSubject(subject, file.read_text("utf-8"), None))]
    topics = {one.subject: one for one in read_plan(settings).topics.values() if one.schema is not None}
    known = {str(topic.schema) for topic in topics.values()}
    for name in names:
        if name not in known:
            text = f"{name}: no topic of {folders[0]} has this schema{nearest(name, known)}; or say --subject"
            raise ConfigurationError([text])
    wanted = []
    for topic in topics.values():
        if not names or topic.schema in names:
            file = _file(str(topic.schema), folders)
            text = file.read_text("utf-8")
            wanted.append(_Wanted(file, WantedSubject(topic.subject, text, topic.compatibility)))
    return wanted


def _file(name: str, folders: tuple[Path, Path]) -> Path:
    file = schema_file(name, folders)
    if file is None:
        known = {path.stem for folder in folders for path in folder.glob("*.avsc")}
        raise ConfigurationError([f"there is no {name}.avsc{nearest(name, known)}"])
    return file


def _prove_from_files(wanted: list[_Wanted]) -> None:
    faults: dict[str, None] = {}
    for file, subject in wanted:
        version, history = read_version(file.parent, file.stem), read_history(file.parent, file.stem)
        for fault in lint(version, history, subject.level or "FULL_TRANSITIVE", AvroPolicy()):
            faults[f"{file.parent}: {fault}"] = None
    if faults:
        raise ConfigurationError(list(faults))


async def _difference(settings: Settings, wanted: list[WantedSubject]) -> Changes:
    registry = registry_of(settings)
    try:
        total = Changes()
        for subject in wanted:
            total += await subject_difference(subject, registry)
        return total
    finally:
        registry.close()


async def _carry_out(settings: Settings, changes: Changes) -> None:
    registry = registry_of(settings)
    try:
        await carry_out(changes, None, registry, tell)
    finally:
        registry.close()


def _record(files: list[Path]) -> None:
    for file in files:
        version = read_version(file.parent, file.stem)
        if not is_recorded(version, read_history(file.parent, file.stem)):
            click.echo(f"recorded: {record(file.parent, version)}", err=True)
