"""`config show`: each setting, and where its value comes from."""

from pathlib import Path
from typing import Any

import click
import orjson
from rich.table import Table

from consumer.cli.changes import console_of
from consumer.cli.sections import SectionedCommand
from consumer.cli.settings_options import SHAPES, load_settings, settings_options


@click.command(
    cls=SectionedCommand,
    short_help="Show each setting with its value and its source; secrets are masked.",
    epilog="""\b
Examples:
  distinct-consumer config show
  distinct-consumer config show --config consumer.yaml
  distinct-consumer config show --output json | jq '.ledger_url.source'
""",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the settings are printed.",
)
@settings_options()
def show(config: Path | None, output: str, **flags: Any) -> None:
    """Show each setting as `run` would have it, and where it comes from: a flag, the environment, a file or the
    default.

    Secrets are masked, and so is every option of KAFKA_PROPERTIES that could hold one. Last come the addresses
    and keys that the shipped topology refers to.
    """
    settings = load_settings(config, flags)
    shown = settings.masked()
    for key, one in shown.items():
        if key in SHAPES and one["value"] is not None and SHAPES[key].show is not str:
            one["value"] = SHAPES[key].show(one["value"])  # a number alone would not say its unit
    if output == "json":
        click.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2))
        return
    table = Table(box=None, show_header=True, padding=(0, 2, 0, 0))
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from")
    for key, one in shown.items():
        table.add_row(key, _written(one["value"]), one["source"])
    console_of().print(table, markup=False)


def _written(value: Any) -> str:
    if value is None:
        return "not set"
    return str(value).lower() if isinstance(value, bool) else str(value)
