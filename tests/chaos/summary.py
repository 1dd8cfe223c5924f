"""The end of a chaos run, for people and for programs."""

from typing import Any

from rich.console import Console
from rich.table import Table

from tests.chaos.act import Kind
from tests.chaos.run import Finished
from tests.checker.settled import LOST


def as_json(finished: Finished, *, seed: int, seconds: float) -> dict[str, Any]:
    """Stable keys; `findings` and `problems` are texts, empty where all is well."""
    report = finished.report
    return {
        "seed": seed,
        "seconds": seconds,
        "balanced": finished.balanced,
        "produced": finished.produced,
        "lost": None if report is None else report.findings[LOST],
        "commits": None if report is None else report.commits,
        "pairs_in_order": None if report is None else report.ordered,
        "destinations": {}
        if report is None
        else {
            name: {
                "accepted": report.accepted[name],
                "windowed": report.windowed[name],
                "refused": report.refused[name],
                "duplicates": report.duplicates[name],
                "explained": _explained(finished, name),
            }
            for name in report.accepted
        },
        "acts": {kind.name.lower(): count for kind, count in finished.acts.items() if count},
        "restarts": finished.restarts,
        "gave_up_without_a_broker": finished.gave_up,
        "settle_seconds": round(finished.settle_s, 1),
        "longest_stall_seconds": round(finished.longest_stall_s, 1),
        "findings": "" if report is None else str(report.findings),
        "problems": list(finished.problems),
    }


def print_tables(out: dict[str, Any]) -> None:
    """The same on stdout."""
    console = Console(width=110, highlight=False)
    acts = Table("fault", "times", title=f"chaos: {out['seconds']:g} s, seed {out['seed']}")
    for kind, count in out["acts"].items():
        acts.add_row(Kind[kind.upper()], str(count))
    console.print(acts)
    books = Table("destination", "accepted", "windowed", "refused", "duplicates", "by", title="the books")
    for name, one in out["destinations"].items():
        by = ", ".join(f"{what}: {count}" for what, count in one["explained"].items()) or "–"
        counts = (f"{one[key]:,}" for key in ("accepted", "windowed", "refused", "duplicates"))
        books.add_row(name, *counts, by)
    console.print(books)
    console.print(
        f"{out['produced']:,} records produced; lost: {out['lost']}; {out['commits']} commits and "
        f"{out['pairs_in_order']} neighbours judged; {out['restarts']} restarts; settled "
        f"{out['settle_seconds']} s after the last fault; longest time without a commit: "
        f"{out['longest_stall_seconds']} s",
        soft_wrap=True,
    )
    for text in (out["findings"], *out["problems"]):
        if text:
            console.print(text, markup=False, soft_wrap=True)
    console.print("the books balance" if out["balanced"] else "THE BOOKS DO NOT BALANCE")


def _explained(finished: Finished, name: str) -> dict[str, int]:
    assert finished.report is not None
    by: dict[str, int] = {}
    for caused in finished.report.caused[name]:
        if caused.before_ms:
            by[caused.by.name] = by.get(caused.by.name, 0) + len(caused.before_ms)
    return by
