"""`config schema`: the JSON Schemas of the files that people write."""

from collections.abc import Callable, Mapping
from typing import Any

import click
import orjson

from consumer.settings.json_schema import settings_json_schema
from consumer.topology.model import json_schema as topology_json_schema

_SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "topology": topology_json_schema,
    "settings": settings_json_schema,
}


@click.command(
    short_help="Print the JSON Schema of topology files, or of the settings' file.",
    epilog="""\b
Examples:
  distinct-consumer config schema topology > topology.schema.json
  distinct-consumer config schema settings > consumer.schema.json

\b
An editor with a YAML language server completes a file whose first line is
  # yaml-language-server: $schema=topology.schema.json
""",
)
@click.argument("which", type=click.Choice(list(_SCHEMAS)))
def schema(which: str) -> None:
    """Print the JSON Schema (draft 2020-12) of a topology's files, or of the --config file."""
    click.echo(orjson.dumps(_SCHEMAS[which](), option=orjson.OPT_INDENT_2))
