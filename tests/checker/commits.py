"""Commits: none past a record that was not settled by then, none backwards, and all of it in the end."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tests.checker.evidence import Commit
from tests.checker.findings import Findings

TOO_EARLY = "a committed offset past a record that was not settled yet"
BACKWARDS = "a committed offset that went back"
BEYOND = "a committed offset beyond the end of the partition"
UNFINISHED = "a partition that is not committed to its end"

Times = Mapping[int, Sequence[tuple[int, int]]]
"""By partition, in the order of offsets: a record's offset, and when it was settled."""


def judge_commits(
    commits: Sequence[Commit], settled: Times, ends: Mapping[int, int], findings: Findings
) -> int:
    """Hold every commit against what was settled by then; gives how many were judged. They are in their order."""
    by_partition: defaultdict[int, list[Commit]] = defaultdict(list)
    for commit in commits:
        by_partition[commit.partition].append(commit)
    for partition, end in ends.items():
        last = _judge_partition(by_partition[partition], settled.get(partition, ()), end, findings)
        if last != end and end > 0:
            findings.add(UNFINISHED, f"partition {partition}: {last} of {end}")
    return len(commits)


def _judge_partition(
    commits: Sequence[Commit], settled: Sequence[tuple[int, int]], end: int, findings: Findings
) -> int | None:
    """Gives the last committed offset; None if there is none."""
    position, latest_ms, latest_offset = 0, 0, -1
    last: int | None = None
    for commit in commits:
        name = f"partition {commit.partition}: {commit.offset}"
        if last is not None and commit.offset < last:
            findings.add(BACKWARDS, f"{name} after {last}")
        if commit.offset > end:
            findings.add(BEYOND, f"{name} of {end}")
        while position < len(settled) and settled[position][0] < commit.offset:
            offset, at_ms = settled[position]
            if at_ms > latest_ms:
                latest_ms, latest_offset = at_ms, offset
            position += 1
        if latest_ms > commit.at_ms:
            early_ms = latest_ms - commit.at_ms
            findings.add(TOO_EARLY, f"{name}, but offset {latest_offset} was settled {early_ms} ms later")
        last = commit.offset
    return last
