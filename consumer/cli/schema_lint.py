"""`schema lint`: the proof that a schema goes with those before it, from files or also from the registry."""

import asyncio
from pathlib import Path
from typing import Any

import click
import orjson

from consumer.avro.history import Version, is_recorded, read_history, read_version, schema_names
from consumer.avro.lint import lint as lint_schema
from consumer.avro.policy import AvroPolicy
from consumer.avro.registry import Registry
from consumer.cli.provisioning import read_plan
from consumer.cli.sections import SectionedCommand
from consumer.cli.service import registry_of
from consumer.cli.settings_options import load_settings, settings_options
from consumer.core.compatibility import LEVELS
from consumer.errors import ConfigurationError, UsageError
from consumer.resources import schemas_dir
from consumer.settings import Settings
from consumer.settings.mistakes import nearest


@click.command(
    cls=SectionedCommand,
    short_help="Prove that schemas read, and are read by, those before them.",
    epilog="""\b
Examples:
  distinct-consumer schema lint
  distinct-consumer schema lint order --schemas my-schemas
  distinct-consumer schema lint --online --output json
""",
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--online", is_flag=True, help="Also against each version in the registry, and ask the registry itself."
)
@click.option(
    "--compatibility",
    type=click.Choice(LEVELS),
    metavar="LEVEL",
    default="FULL_TRANSITIVE",
    show_default=True,
    help=f"What is to be proven: {', '.join(LEVELS[1:])}.",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the result is printed.",
)
@settings_options(
    "schemas",
    "topology",
    "schema_registry_url",
    "schema_registry_ca_file",
    "schema_registry_certificate_file",
    "schema_registry_key_file",
    "allow_plain_http",
)
def lint(
    config: Path | None, names: tuple[str, ...], online: bool, compatibility: str, output: str, **flags: Any
) -> None:
    """Prove that NAME.avsc can read what its earlier versions wrote, and they what it writes.

    All schemas of the directory, or those named. The earlier versions are the files history/NAME/1.avsc,
    2.avsc and so on beside it: no connection is made. With --online also the versions under the subjects that
    the topology gives the schema. Every fault is told with its place, and the command exits 2.
    """
    settings = load_settings(config, flags)
    folder = settings.schemas or schemas_dir()
    chosen = _chosen(folder, names)
    results = [_from_files(folder, name, compatibility) for name in chosen]
    if online:
        asyncio.run(_from_registry(settings, folder, compatibility, results))
    faults = [fault for result in results for fault in result["faults"]]
    if output == "json":
        click.echo(orjson.dumps({"sound": not faults, "schemas": results}, option=orjson.OPT_INDENT_2))
    else:
        for result in results:
            _print(result, compatibility)
    if faults:
        raise ConfigurationError(faults)


def _chosen(folder: Path, names: tuple[str, ...]) -> list[str]:
    if not folder.is_dir():
        raise ConfigurationError(
            [f"{folder}: there is no such folder: --schemas names one with *.avsc files"]
        )
    known = schema_names(folder)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigurationError(
            [f"{folder}: there is no {one}.avsc{nearest(one, known)}" for one in unknown]
        )
    if not known:
        raise ConfigurationError([f"{folder}: holds no *.avsc file"])
    return list(names) or known


def _from_files(folder: Path, name: str, level: str) -> dict[str, Any]:
    version, history = read_version(folder, name), read_history(folder, name)
    return {
        "name": name,
        "earlier_versions": len(history),
        "recorded": is_recorded(version, history),
        "faults": [f"{folder}: {fault}" for fault in lint_schema(version, history, level, AvroPolicy())],
        "subjects": [],
    }


async def _from_registry(settings: Settings, folder: Path, level: str, results: list[dict[str, Any]]) -> None:
    """Add to the results what the registry has and says. Raises RegistryUnavailable."""
    subjects = _subjects(settings)
    if settings.schema_registry_url is None:
        raise UsageError("--online needs SCHEMA_REGISTRY_URL, or --schema-registry-url")
    registry = registry_of(settings)
    try:
        for result in results:
            for subject in subjects.get(result["name"], ()):
                await _ask(registry, subject, read_version(folder, result["name"]), level, result)
    finally:
        registry.close()


async def _ask(
    registry: Registry, subject: str, version: Version, level: str, result: dict[str, Any]
) -> None:
    versions = await registry.versions(subject)
    holds = await registry.version_of(subject, version.text.text) if versions else None
    taken = await registry.would_take(subject, version.text.text)
    earlier = [
        Version(f"{subject} version {number}", text) for number, text in versions.items() if number != holds
    ]
    known = set(result["faults"])
    proven = lint_schema(version, earlier, level, AvroPolicy())
    result["faults"] += [fault for fault in proven if fault not in known and "cannot read data of" in fault]
    if not taken:
        result["faults"].append(f"{subject}: the registry would refuse {version.name}")
    result["subjects"].append(
        {"subject": subject, "versions": len(versions), "registered_as": holds, "registry_takes_it": taken}
    )


def _subjects(settings: Settings) -> dict[str, list[str]]:
    """By a schema's name, where the topology has it registered."""
    found: dict[str, list[str]] = {}
    for topic in read_plan(settings).topics.values():
        if topic.schema is not None and topic.subject not in found.setdefault(topic.schema, []):
            found[topic.schema].append(topic.subject)
    return found


def _print(result: dict[str, Any], level: str) -> None:
    name, count = result["name"], result["earlier_versions"]
    if result["faults"]:
        click.echo(f"{name}: {len(result['faults'])} to mend")
    else:
        against = f"{level} towards {count} earlier version{'' if count == 1 else 's'}"
        click.echo(f"{name}: sound, {against if count else 'without an earlier version to compare'}")
    for one in result["subjects"]:
        held = (
            f"registered as version {one['registered_as']}" if one["registered_as"] else "not registered yet"
        )
        click.echo(f"  {one['subject']}: {one['versions']} versions, {held}")
    if count and not result["recorded"]:
        click.echo(
            f"note: {name}.avsc is not in its history: once it is registered, record it as {count + 1}.avsc "
            "(schema register --execute --record does)",
            err=True,
        )
