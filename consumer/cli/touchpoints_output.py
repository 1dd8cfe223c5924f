"""Touchpoint metrics as a table, as JSON, or as CSV for a spreadsheet."""

import csv
import io
import sys
from collections.abc import Sequence
from typing import Any

import click
import msgspec
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

Cell = str | int

output_option = click.option(
    "--output",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How the metrics are printed.",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Sheet(msgspec.Struct, frozen=True):
    """One answer: as a document, and as rows under columns."""

    title: str
    document: dict[str, Any]
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


def print_sheet(sheet: Sheet, output: str) -> None:
    """On stdout."""
    match output:
        case "json":
            sys.stdout.buffer.write(orjson.dumps(sheet.document, option=orjson.OPT_INDENT_2) + b"\n")
            sys.stdout.buffer.flush()
        case "csv":
            click.echo(_csv(sheet), nl=False)
        case _:
            _print_table(sheet)


def _csv(sheet: Sheet) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(sheet.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in sheet.rows)
    return out.getvalue()


def _harmless(cell: Cell) -> Cell:
    """A spreadsheet would compute a text that begins like a formula: whoever named a touchpoint or a user
    would then run what they like on the machine of whoever opens the file.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _print_table(sheet: Sheet) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=200, highlight=False)
    table = Table(title=Text(_printable(sheet.title)), title_justify="left")
    numbers = [isinstance(cell, int) for cell in sheet.rows[0]] if sheet.rows else []
    for index, column in enumerate(sheet.columns):
        is_number = bool(numbers) and numbers[index]
        table.add_column(column.replace("_", " "), justify="right" if is_number else "left", overflow="fold")
    for row in sheet.rows:
        table.add_row(*(Text(_printable(str(cell))) for cell in row))
    console.print(table)


def _printable(text: str) -> str:
    """Names are the vendor's: an escape sequence in one must not reach the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
