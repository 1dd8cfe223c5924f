"""`topology test`: the example records that stand beside a topology, with the requests expected of them."""

import sys
from pathlib import Path
from typing import Any

import click
import orjson

from consumer.cli.settings_options import load_settings, settings_options
from consumer.resources import schemas_dir, topology_dir
from consumer.topology.examples import read_examples
from consumer.topology.load import load_plan
from consumer.topology.plan import Plan
from consumer.topology.trial import Tried, try_example


@click.command(
    short_help="Try example records on the routes: are the requests as expected?",
    epilog="""\b
Examples:
  distinct-consumer topology test
  distinct-consumer topology test my-topology --schemas my-schemas
  distinct-consumer topology test my-topology --output json | jq .failed
""",
)
@click.argument(
    "directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False)
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the outcome is printed.",
)
@settings_options("schemas", "allow_plain_http", sections=False)
def test(config: Path | None, directory: Path | None, output: str, **flags: Any) -> None:
    """Try the examples in DIR/examples/*.yaml on the routes of the topology in DIR, without any connection.

    DIR is by default what TOPOLOGY names, or the topology that ships. Exits 1 if a request is not as expected, 2 for
    a mistake in the topology or in the form of an example.
    """
    settings = load_settings(config, {**flags, "topology": None if directory is None else str(directory)})
    folder, schemas = settings.topology or topology_dir(), settings.schemas or schemas_dir()
    plan = load_plan(
        folder,
        settings.environment,
        schemas=schemas,
        resolve=False,
        allow_plain_http=settings.allow_plain_http,
    )
    tried = [try_example(example, plan, [folder, schemas]) for example in read_examples(folder)]
    failed = [one for one in tried if one.differences]
    without = _without_example(plan, tried)
    if output == "json":
        click.echo(orjson.dumps(_as_json(tried, without), option=orjson.OPT_INDENT_2))
    else:
        _print(tried, without)
    if failed:
        click.echo(f"error: {len(failed)} of {len(tried)} examples are not as expected", err=True)
        sys.exit(1)


def _without_example(plan: Plan, tried: list[Tried]) -> list[str]:
    shown = {route for one in tried for route in one.routes}
    return [route.id for route in plan.routes if route.id not in shown]


def _print(tried: list[Tried], without: list[str]) -> None:
    for one in tried:
        click.echo(f"{'FAILED' if one.differences else 'ok':<8}{one.name}")
        for difference in one.differences:
            click.echo(f"        {difference}")
    if without:
        click.echo(f"note: no example of {', '.join(without)}", err=True)


def _as_json(tried: list[Tried], without: list[str]) -> dict[str, Any]:
    return {
        "passed": sum(not one.differences for one in tried),
        "failed": sum(bool(one.differences) for one in tried),
        "examples": [
            {"name": one.name, "passed": not one.differences, "differences": one.differences} for one in tried
        ],
        "routes_without_example": without,
    }
