"""`python -m bench.peers`: ours beside what a team would pick instead, in the same run."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import click
import orjson

from bench.entry import console, run_command, tell
from bench.parity import check_parity
from bench.peers.catalogue import peers
from bench.peers.likeness import LIKENESS_RECORDS, check_likeness
from bench.peers.peer import Peer
from bench.report import Result, as_json, print_tables
from bench.rounds import Plan, run_rounds
from bench.setting import Setting, open_setting
from bench.sides import Bare, Ours, Side
from bench.topic import Topics
from bench.workload import ARRAYS, FAR_SINGLES, SINGLES, WORKLOADS, Workload
from consumer.errors import FaultError


@click.command(
    epilog="""\b
Examples:
  python -m bench.peers
  python -m bench.peers --only redpanda-connect --arrays 300000 --singles 0 --far-singles 0
"""
)
@click.option("--arrays", default=200_000, show_default=True, type=click.IntRange(min=0))
@click.option("--singles", default=60_000, show_default=True, type=click.IntRange(min=0))
@click.option("--far-singles", default=60_000, show_default=True, type=click.IntRange(min=0))
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--only", multiple=True, metavar="NAME", help="These peers alone; several times for several.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def bench_peers(
    arrays: int, singles: int, far_singles: int, rounds: int, only: Sequence[str], output: str
) -> None:
    """Redpanda Connect, parallel-consumer, Quix Streams and two loops beside ours, in turns.

    On the same topic, and to the same receiver: a side counts only if every record arrived. What cannot be built here
    is named with its reason.
    """
    asked = {ARRAYS.name: arrays, SINGLES.name: singles, FAR_SINGLES.name: far_singles}
    built, unbuilt = _built(only)
    with open_setting(tell) as setting:
        sizes = {name: count for name, count in asked.items() if count}
        results = _measure(sizes, built, unbuilt, rounds, setting)
        receiver = setting.receiver.description
    if output == "json":
        told = as_json(results, receiver, {})
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        print_tables(results, receiver, console())


def _measure(
    sizes: Mapping[str, int],
    built: Sequence[Peer],
    unbuilt: Mapping[str, str],
    rounds: int,
    setting: Setting,
) -> list[Result]:
    results = []
    topics = Topics(setting, tell)
    for name, count in sizes.items():
        workload = WORKLOADS[name]
        check_parity(workload)
        topic = partial(topics.filled, workload)
        unlike = _unlike(built, workload, topic(LIKENESS_RECORDS), setting)
        sides: list[Side] = [Ours(), Bare(), *(peer for peer in built if peer.name not in unlike)]
        plan = Plan(workload, count, sides, rounds, topic, frozenset({"ours"}))
        measured = run_rounds(plan, setting, tell)
        results.append(Result(replace(measured, failed={**unbuilt, **unlike, **measured.failed})))
    return results


def _unlike(built: Sequence[Peer], workload: Workload, topic: str, setting: Setting) -> dict[str, str]:
    """Those that do other work than the rest, and what."""
    unlike = {}
    for peer in built:
        if peer.records(workload, LIKENESS_RECORDS):
            try:
                check_likeness(peer, workload, topic, setting)
            except FaultError as error:
                unlike[peer.name] = str(error)
                tell(f"{workload.name}: {peer.name} does not count: {error}")
    return unlike


def _built(only: Sequence[str]) -> tuple[list[Peer], dict[str, str]]:
    """The peers that can be had here; and why the others cannot."""
    good: list[Peer] = []
    unbuilt: dict[str, str] = {}
    for peer in _chosen(only):
        tell(f"{peer.name}: building, unless that was done before")
        try:
            peer.build()
        except FaultError as error:
            unbuilt[peer.name] = str(error)
            tell(f"{peer.name}: not run: {error}")
        else:
            good.append(peer)
    return good, unbuilt


def _chosen(only: Sequence[str]) -> list[Peer]:
    known = {peer.name: peer for peer in peers()}
    if unknown := [name for name in only if name not in known]:
        raise click.UsageError(f"{', '.join(unknown)}: there are {', '.join(known)}")
    return [known[name] for name in only or known]


if __name__ == "__main__":
    run_command(bench_peers)
