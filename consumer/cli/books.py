"""The books as a table."""

from typing import Any

from rich.console import Console
from rich.table import Table

RECORDS = ("consumed", "settled", "undecodable", "tombstones", "unrouted", "in_flight", "abandoned")
DELIVERIES = (
    "matched", "delivered", "suppressed", "windowed", "dropped", "dead_lettered",
    "in_flight", "abandoned", "in_doubt", "retries",
)  # fmt: skip
_WORDS = {
    "suppressed": "suppressed (duplicates)",
    "windowed": "windowed (opens within 20 min)",
    "dropped": "dropped (bots, machines)",
}


def records_table(books: dict[str, Any]) -> Table:
    """What became of the records."""
    table = Table(title="Records", title_justify="left", show_header=False)
    for row in RECORDS:
        table.add_row(row.replace("_", " "), str(books[row]))
    return table


def deliveries_table(title: str, destinations: dict[str, dict[str, int]]) -> Table:
    """What became of the deliveries, a column a destination."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in destinations:
        table.add_column(name, justify="right")
    for row in DELIVERIES:
        word = _WORDS.get(row, row.replace("_", " "))
        table.add_row(word, *(str(one[row]) for one in destinations.values()))
    return table


def _workers_table(workers: list[dict[str, Any]]) -> Table:
    table = Table(title="Workers", title_justify="left")
    columns = ("worker", "consumed", "settled", "in_flight", "abandoned", "restarts")
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right")
    for one in workers:
        table.add_row(*(str(one[column]) for column in columns))
    return table


def print_books(books: dict[str, Any]) -> None:
    """Both tables on stdout, and whether they balance."""
    console = Console()
    console.print(records_table(books))
    console.print(deliveries_table("Deliveries", books["destinations"]))
    if "workers" in books:
        console.print(_workers_table(books["workers"]))
    balanced = "The books balance." if books["balanced"] else "[red]The books do not balance.[/red]"
    console.print(
        f"{books['seconds']} s, {books['records_per_second']} records a second. {balanced}", highlight=False
    )
