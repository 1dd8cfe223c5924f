"""`python -m bench`: measures, prints, and fails where the consumer is incomplete or below the floor."""

import sys
from collections.abc import Mapping
from functools import partial

import click
import orjson

from bench.entry import console, run_command, tell
from bench.latency import measure_latency
from bench.parity import check_parity
from bench.profile import profile
from bench.report import Result, as_json, print_tables
from bench.rounds import Plan, run_rounds
from bench.setting import Setting, open_setting
from bench.sides import Bare, Ours
from bench.stages import measure_stages
from bench.topic import Topics
from bench.workload import ARRAYS, FAR_SINGLES, SINGLES, WORKLOADS
from consumer.errors import FaultError

FLOOR = 0.5
"""Ours must reach this share of the bare loop's records a second."""
TARGET = 0.9
_STAGE_RECORDS = 20_000
_PACED = (ARRAYS.name, SINGLES.name)


@click.command(
    epilog="""\b
Examples:
  python -m bench
  python -m bench --arrays 500000 --singles 0 --far-singles 0 --rounds 5 --output json
  python -m bench --singles 0 --far-singles 0 --profile
"""
)
@click.option(
    "--arrays",
    default=200_000,
    show_default=True,
    type=click.IntRange(min=0),
    help="Records in arrays; 0: none.",
)
@click.option(
    "--singles",
    default=60_000,
    show_default=True,
    type=click.IntRange(min=0),
    help="Records one by one; 0: none.",
)
@click.option(
    "--far-singles",
    default=60_000,
    show_default=True,
    type=click.IntRange(min=0),
    help="Records one by one to a receiver that takes 20 ms; 0: none.",
)
@click.option(
    "--rounds", default=3, show_default=True, type=click.IntRange(min=1), help="How often each side runs."
)
@click.option(
    "--latency",
    "latency_s",
    default=15,
    show_default=True,
    type=click.IntRange(min=0),
    help="Seconds at half of the peak rate, for the latency; 0: none.",
)
@click.option(
    "--stages/--no-stages", default=True, show_default=True, help="Also measure where a record's time goes."
)
@click.option(
    "--profile", "profiled", is_flag=True, help="Instead: one run under cProfile, and its dearest functions."
)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def bench(
    arrays: int,
    singles: int,
    far_singles: int,
    rounds: int,
    latency_s: int,
    stages: bool,
    profiled: bool,
    output: str,
) -> None:
    """The consumer beside a bare loop without guarantees: same topic, same requests, a receiver that counts.

    Both run in turns on a real Kafka broker. Exits 1 if a record is lost or repeated, or the floor is missed.
    """
    asked = {ARRAYS.name: arrays, SINGLES.name: singles, FAR_SINGLES.name: far_singles}
    sizes = {name: count for name, count in asked.items() if count}
    if not sizes:
        raise click.UsageError("nothing to measure: give --arrays, --singles or --far-singles a number")
    with open_setting(tell) as setting:
        if profiled:
            _profile(sizes, setting)
            return
        results = _measure(sizes, rounds, latency_s, stages, setting)
        receiver = setting.receiver.description
    if output == "json":
        told = as_json(results, receiver, {"floor": FLOOR})
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        print_tables(results, receiver, console())
    _judge(results)


def _measure(
    sizes: Mapping[str, int], rounds: int, latency_s: int, stages: bool, setting: Setting
) -> list[Result]:
    results = []
    topics = Topics(setting, tell)
    for name, count in sizes.items():
        workload = WORKLOADS[name]
        check_parity(workload)
        topic = partial(topics.filled, workload)
        plan = Plan(workload, count, [Ours(), Bare()], rounds, topic, frozenset({"ours", "bare"}))
        measured = run_rounds(plan, setting, tell)
        parts, paced = None, None
        if latency_s and name in _PACED:
            tell(f"{name}: latency at half of the peak rate")
            paced = measure_latency(workload, measured.medians("ours").per_second / 2, latency_s, setting)
        if stages and not workload.latency_ms:
            tell(f"{name}: where the time goes")
            some = min(count, _STAGE_RECORDS)
            parts = measure_stages(workload, topic(count), some, rounds, setting)
        results.append(Result(measured, parts, paced))
    return results


def _profile(sizes: Mapping[str, int], setting: Setting) -> None:
    topics = Topics(setting, tell)
    for name, count in sizes.items():
        check_parity(WORKLOADS[name])
        topic = topics.filled(WORKLOADS[name], count)
        click.echo(profile(WORKLOADS[name], topic, count, setting))


def _judge(results: list[Result]) -> None:
    """Says who reaches the floor. Raises FaultError where one does not."""
    missed = []
    for rounds in (one.rounds for one in results):
        name, ratio = rounds.workload.name, rounds.speed_ratio("ours", "bare")
        word = "reaches" if ratio >= FLOOR else "misses"
        tell(f"{name}: {ratio:.2f} of the bare loop's speed, {word} the floor of {FLOOR} (target {TARGET})")
        if ratio < FLOOR:
            missed.append(name)
    if missed:
        raise FaultError(f"below {FLOOR} of the bare loop's speed: {', '.join(missed)}")


if __name__ == "__main__":
    run_command(bench)
