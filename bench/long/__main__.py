"""`python -m bench.long [ROW]`: what takes long to measure. Prints as soon as a row is done, and fails at the end."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console

from bench.entry import run_command, tell
from bench.long.adaptive import COURSES, Times
from bench.long.adaptive import adaptive as measure_adaptive
from bench.long.backlog import backlog as measure_backlog
from bench.long.events import Topics
from bench.long.growth import growth as measure_growth
from bench.long.guarantees import guarantees as measure_guarantees
from bench.long.outcome import Outcome, as_json, print_tables
from bench.long.rounds import Ground
from bench.long.scale import scale as measure_scale
from bench.setting import open_setting
from bench.workload import ARRAYS, SINGLES
from consumer.errors import FaultError

Measure = Callable[[Ground], list[Outcome]]
_COUNT = click.IntRange(min=1)
_SECONDS = click.FloatRange(min=1.0)


@click.group(
    chain=True,
    epilog="""\b
Examples:
  python -m bench.long growth backlog scale guarantees adaptive
  python -m bench.long --output json growth --keys 1000000 --ticks 50
  python -m bench.long growth --ids time-ordered
  python -m bench.long backlog --records 300000 --seconds 40 guarantees --singles 0
  python -m bench.long adaptive --course overload --settle 15
""",
)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--keep", type=click.Path(dir_okay=False, path_type=Path), help="Also write the JSON there, row by row."
)
def long(output: str, keep: Path | None) -> None:
    """The consumer over a long time and at large sizes, on a real Kafka broker; any rows, in one run.

    Exits 1 if a record is lost or repeated, or a target is missed.
    """


@long.command()
@click.option("--keys", default=50_000_000, show_default=True, type=_COUNT, help="In the full ledger.")
@click.option("--records", default=200_000, show_default=True, type=_COUNT, help="Of each run.")
@click.option("--rounds", default=3, show_default=True, type=_COUNT)
@click.option(
    "--ticks", default=200, show_default=True, type=_COUNT, help="Of pruning; 720 see the whole tree."
)
@click.option(
    "--ids",
    default="random",
    show_default=True,
    type=click.Choice(["random", "time-ordered"]),
    help="Of the events: UUIDs of version 4 or 7.",
)
def growth(keys: int, records: int, rounds: int, ticks: int, ids: str) -> Measure:
    """A full ledger beside an empty one: rate, start-up, and what pruning holds up."""
    ordered = ids == "time-ordered"
    return lambda ground: [measure_growth(keys, records, rounds, ticks, ground, time_ordered=ordered)]


@long.command()
@click.option("--records", default=10_000_000, show_default=True, type=_COUNT, help="The backlog.")
@click.option(
    "--seconds",
    default=180,
    show_default=True,
    type=click.IntRange(min=40),
    help="With the endpoint slow, and down.",
)
def backlog(records: int, seconds: int) -> Measure:
    """Memory beside a backlog, with the endpoint slow, down, and fast until nothing is left."""
    return lambda ground: [measure_backlog(records, seconds, ground)]


@long.command()
@click.option("--records", default=300_000, show_default=True, type=_COUNT, help="Of each run.")
@click.option("--partitions", default=1_000, show_default=True, type=_COUNT)
@click.option("--users", default=100_000, show_default=True, type=_COUNT)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(min=2))
@click.option("--rounds", default=3, show_default=True, type=_COUNT)
def scale(records: int, partitions: int, users: int, workers: int, rounds: int) -> Measure:
    """Several workers beside one, many partitions beside four, many active users beside a thousand."""
    return lambda ground: [measure_scale(records, partitions, users, workers, rounds, ground)]


@long.command()
@click.option("--arrays", default=200_000, show_default=True, type=click.IntRange(min=0), help="0: none.")
@click.option("--singles", default=60_000, show_default=True, type=click.IntRange(min=0), help="0: none.")
@click.option("--rounds", default=3, show_default=True, type=_COUNT)
def guarantees(arrays: int, singles: int, rounds: int) -> Measure:
    """The same pipeline without a durable ledger, windows, order, and without all of them."""
    sizes = {ARRAYS: arrays, SINGLES: singles}
    return lambda ground: [
        measure_guarantees(workload, records, rounds, ground)
        for workload, records in sizes.items()
        if records
    ]


@long.command()
@click.option(
    "--course", multiple=True, type=click.Choice(COURSES), help="These alone; several times for several."
)
@click.option("--before", default=6.0, show_default=True, type=_SECONDS, help="Until the first change.")
@click.option(
    "--settle", default=30.0, show_default=True, type=_SECONDS, help="From a change until it is judged."
)
@click.option("--window", default=10.0, show_default=True, type=_SECONDS, help="For how long it is judged.")
@click.option("--fixed", default=5.0, show_default=True, type=_SECONDS, help="For how long a fixed limit is.")
def adaptive(course: tuple[str, ...], before: float, settle: float, window: float, fixed: float) -> Measure:
    """The adaptive limit beside the best fixed one, while the receiver's capacity changes; six minutes."""
    times = Times(before, settle, window, fixed)
    return lambda ground: [measure_adaptive(course or COURSES, times, ground)]


@long.result_callback()
def measure(rows: list[Measure], output: str, keep: Path | None, **_: Any) -> None:
    """One setting for all rows."""
    outcomes: list[Outcome] = []
    with open_setting(tell) as setting:
        ground = Ground(setting, Topics(setting, tell), tell)
        for row in rows:
            try:
                found = row(ground)
            except TimeoutError as error:
                raise FaultError(str(error)) from error
            outcomes += found
            print_tables(found, Console(stderr=output == "json", width=None if sys.stderr.isatty() else 130))
            if keep is not None:
                keep.write_bytes(_json(outcomes))
    if output == "json":
        sys.stdout.buffer.write(_json(outcomes))
    missed = [target.what for one in outcomes for target in one.targets if not target.reached]
    if missed:
        raise FaultError(f"missed: {'; '.join(missed)}")


def _json(outcomes: list[Outcome]) -> bytes:
    return orjson.dumps(as_json(outcomes), option=orjson.OPT_INDENT_2) + b"\n"


if __name__ == "__main__":
    run_command(long)
