"""`topology plan`: what `topology apply` would change."""

from pathlib import Path
from typing import Any

import click
import orjson

from consumer.cli.changes import as_json, console_of, print_changes
from consumer.cli.provisioning import CLUSTER_SETTINGS, find_difference, read_wanted, refuse_if_unsafe
from consumer.cli.sections import SectionedCommand
from consumer.cli.settings_options import settings_options


@click.command(
    cls=SectionedCommand,
    short_help="Show what apply would change, and change nothing.",
    epilog="""\b
Examples:
  distinct-consumer topology plan
  distinct-consumer topology plan --topology my-topology --schemas my-schemas
  distinct-consumer topology plan --output json | jq '.changes[].change'
""",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the plan is printed.",
)
@settings_options(*CLUSTER_SETTINGS)
def plan(config: Path | None, output: str, **flags: Any) -> None:
    """Show what `topology apply` would change in the cluster and the schema registry.

    Topics to create, partitions to add, configs to set, schemas to register, compatibility to set; for the
    dead-letter topics room for the largest record and 30 days. The brokers check each change without making
    it. Exits 4 where something asked for would delete or shrink.
    """
    asked = read_wanted(config, flags)
    changes = find_difference(asked)
    if output == "json":
        shown = {"topology_version": asked.plan.version, **as_json(changes)}
        click.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2))
    else:
        print_changes(changes, console_of())
    refuse_if_unsafe(changes)
    count = len(changes.changes)
    click.echo(
        f"{count} to change, {changes.same} as they should be"
        if count
        else f"nothing to change: {changes.same} as they should be",
        err=True,
    )
