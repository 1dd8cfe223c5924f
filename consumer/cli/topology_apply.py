"""`topology apply`: bring the cluster to what the topology says."""

from pathlib import Path
from typing import Any

import click
import orjson

from consumer.cli.changes import as_json, console_of, print_changes
from consumer.cli.provisioning import (
    CLUSTER_SETTINGS,
    agree,
    find_difference,
    make,
    read_wanted,
    refuse_if_unsafe,
    tell,
)
from consumer.cli.sections import SectionedCommand
from consumer.cli.settings_options import settings_options
from consumer.errors import RefusedError


@click.command(
    cls=SectionedCommand,
    short_help="Make the changes that plan shows; never deletes, never shrinks.",
    epilog="""\b
Examples:
  distinct-consumer topology apply
  distinct-consumer topology apply --yes
  distinct-consumer topology apply --topology my-topology --yes --output json
""",
)
@click.option(
    "--yes", is_flag=True, help="Do not ask. Without a terminal nothing is changed unless this is given."
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the changes are printed.",
)
@settings_options(*CLUSTER_SETTINGS)
def apply(config: Path | None, yes: bool, output: str, **flags: Any) -> None:
    """Make the changes that `topology plan` shows, after a question on a terminal.

    A second apply changes nothing. What fails in the middle leaves the changes before it, and another apply
    goes on there. Exits 4, with nothing changed, where something asked for would delete or shrink.
    """
    asked = read_wanted(config, flags)
    changes = find_difference(asked)
    # Before a question the plan must be seen, also by those who read the JSON afterwards.
    print_changes(changes, console_of(stderr=output == "json"))
    refuse_if_unsafe(changes)
    if changes.changes:
        agree(changes, yes=yes)
        # While the question stood, somebody may have raised what this plan would now lower again.
        if not yes and find_difference(asked) != changes:
            raise RefusedError(
                "the cluster is not as it was when the plan was shown: nothing was changed; plan again"
            )
        make(asked, changes, tell)
    else:
        click.echo(f"nothing to change: {changes.same} as they should be", err=True)
    if output == "json":
        shown = {"topology_version": asked.plan.version, **as_json(changes)}
        click.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2))
