"""`python -m bench`: measures, prints, and fails where the consumer is incomplete or below the floor."""

import sys
from collections.abc import Mapping

import click
import orjson
from rich.console import Console

from bench.parity import check_parity
from bench.profile import profile
from bench.report import FLOOR, Result, as_json, print_tables
from bench.rounds import run_rounds
from bench.setting import Setting, open_setting
from bench.sides import Bare, Ours
from bench.stages import measure_stages
from bench.topic import fill
from bench.workload import WORKLOADS, Workload
from consumer.errors import ConsumerError, FaultError

_STAGE_RECORDS = 20_000


@click.command(
    epilog="""\b
Examples:
  python -m bench
  python -m bench --arrays 500000 --singles 0 --rounds 5 --output json
  python -m bench --singles 0 --profile
"""
)
@click.option(
    "--arrays",
    default=100_000,
    show_default=True,
    type=click.IntRange(min=0),
    help="Records in arrays; 0: none.",
)
@click.option(
    "--singles",
    default=20_000,
    show_default=True,
    type=click.IntRange(min=0),
    help="Records one by one; 0: none.",
)
@click.option(
    "--rounds", default=3, show_default=True, type=click.IntRange(min=1), help="How often each side runs."
)
@click.option(
    "--stages/--no-stages", default=True, show_default=True, help="Also measure where a record's time goes."
)
@click.option(
    "--profile", "profiled", is_flag=True, help="Instead: one run under cProfile, and its dearest functions."
)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def bench(arrays: int, singles: int, rounds: int, stages: bool, profiled: bool, output: str) -> None:
    """The consumer beside a bare loop without guarantees: same topic, same requests, a receiver that counts.

    Both run in turns on a real Kafka broker. Exits 1 if a record is lost or repeated, or the floor is missed.
    """
    sizes = {name: count for name, count in (("arrays", arrays), ("singles", singles)) if count}
    if not sizes:
        raise click.UsageError("nothing to measure: give --arrays or --singles a number")
    if profiled:
        _profile(sizes)
        return
    results = _measure(sizes, rounds, stages)
    if output == "json":
        sys.stdout.buffer.write(orjson.dumps(as_json(results), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        print_tables(results, Console())
    missed = [one.rounds.workload.name for one in results if not one.passed]
    if missed:
        raise FaultError(f"below {FLOOR} of the bare loop's speed: {', '.join(missed)}")


def _measure(sizes: Mapping[str, int], rounds: int, stages: bool) -> list[Result]:
    results = []
    with open_setting(_tell) as setting:
        for name, count in sizes.items():
            workload = WORKLOADS[name]
            topic = _filled(workload, count, setting)
            measured = run_rounds(workload, topic, count, [Ours(), Bare()], rounds, setting, _tell)
            parts = None
            if stages:
                _tell(f"{name}: where the time goes")
                parts = measure_stages(workload, topic, min(count, _STAGE_RECORDS), rounds, setting)
            results.append(Result(measured, parts))
    return results


def _profile(sizes: Mapping[str, int]) -> None:
    with open_setting(_tell) as setting:
        for name, count in sizes.items():
            topic = _filled(WORKLOADS[name], count, setting)
            click.echo(profile(WORKLOADS[name], topic, count, setting))


def _filled(workload: Workload, count: int, setting: Setting) -> str:
    check_parity(workload)
    return fill(
        workload, count, setting, lambda done: _tell(f"{workload.name}: {done:,} of {count:,} on the topic")
    )


def _tell(text: str) -> None:
    click.echo(f"bench: {text}", err=True)


def main() -> None:
    """An expected error is one message and its exit code."""
    try:
        bench.main(standalone_mode=False)
    except ConsumerError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
