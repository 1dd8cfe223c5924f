"""`demo`: the main job from end to end, on this machine alone."""

import logging
import sys
import time
from dataclasses import asdict

import click
import orjson
import uvloop
from rich.console import Console
from rich.live import Live

from consumer.cli.books import deliveries_table, records_table
from consumer.errors import FaultError
from consumer.sandbox.demo import DemoConfig, DemoResult, DemoState, run_demo
from consumer.telemetry.logs import configure_logging
from consumer.telemetry.redaction import Redactor

_THEIRS = ("accepted", "duplicates", "refused")


@click.command(
    short_help="The whole job on this machine alone, then the books.",
    epilog="""\b
Examples:
  distinct-consumer demo
  distinct-consumer demo --events 200000 --faults
  distinct-consumer demo --output json | jq .balanced
""",
)
@click.option(
    "--events",
    metavar="N",
    default=20_000,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many records to generate.",
)
@click.option(
    "--seed",
    metavar="N",
    default=1,
    show_default=True,
    type=click.IntRange(min=0),
    help="The same seed gives the same events.",
)
@click.option("--faults", is_flag=True, help="Let the receiver throttle, fail, drop and lose answers.")
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the counts are printed at the end.",
)
def demo(events: int, seed: int, faults: bool, output: str) -> None:
    """Generate events, consume and deliver them to simulated APIs, and compare everybody's counts.

    Needs nothing but this command: the broker, the schema registry and the receiver are its own, on loopback,
    and gone afterwards. Exits 1 if the counts of the generator, the consumer and the receiver differ, if only
    by one.
    """
    console = Console(stderr=True)
    console.print(
        f"demo: {events} events → embedded Kafka → consumer → simulated APIs"
        + (" with faults" if faults else ""),
        highlight=False,
    )
    with _Display(console) as display:
        configure_logging(Redactor(), level=logging.WARNING, human=True)
        # It would report the embedded broker's own end.
        logging.getLogger("consumer.kafka.client").disabled = True
        result = uvloop.run(run_demo(DemoConfig(events, seed, faults), display.show, display.note))
    if output == "json":
        sys.stdout.buffer.write(orjson.dumps(result.as_json(), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        _print(result, Console())
    if result.differences:
        raise FaultError("the counts differ: " + "; ".join(result.differences))


class _Display:
    """Progress: a live table on a terminal, a line every two seconds elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (
            Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        )
        self._told_s = 0.0

    def __enter__(self) -> "_Display":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, state: DemoState) -> None:
        books = state.books
        text = f"produced {state.produced}/{state.wanted}  consumed {books.consumed}  settled {books.settled}"
        if self._live is not None:
            table = deliveries_table(text, {name: asdict(one) for name, one in books.destinations.items()})
            self._live.update(table)
        elif time.monotonic() - self._told_s > 2.0:
            self._told_s = time.monotonic()
            self._console.print(f"demo: {text}", highlight=False)

    def note(self, text: str) -> None:
        self._console.print(f"demo: {text}", highlight=False, markup=False)


def _print(result: DemoResult, console: Console) -> None:
    books = result.books
    records = records_table(books)
    records.add_section()
    records.add_row("generator: produced", str(result.produced.total), style="cyan")
    console.print(records)
    table = deliveries_table("Deliveries", books["destinations"])
    table.add_section()
    for row in _THEIRS:
        table.add_row(f"receiver: {row}", *(str(one[row]) for one in result.receiver.values()), style="cyan")
    console.print(table)
    console.print(
        f"{result.letters} dead letters; {result.produced.total} records in {books['seconds']} s. "
        "The rows of the generator and the receiver are their own counts.",
        highlight=False,
    )
    console.print(
        f"Touchpoint metrics: {result.scans.scanned} visits scanned, {result.scans.read} read back from all pages.",
        highlight=False,
    )
    if not result.differences:
        console.print("[green]The books balance to the record: every event is accounted for.[/green]")
