"""The checker: from what was seen from outside, what the consumers did wrong, if anything."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.checker.arrivals import Arrivals
from tests.checker.commits import judge_commits
from tests.checker.disturbance import kill
from tests.checker.event import EventReader
from tests.checker.evidence import Evidence
from tests.checker.expectation import Expectation
from tests.checker.findings import Findings
from tests.checker.order import judge_order
from tests.checker.repeats import Caused, judge_repeats
from tests.checker.settled import Settled
from tests.checker.singles import named_singles


@dataclass(frozen=True, slots=True)
class Report:
    """What was judged, and what was found."""

    findings: Findings
    records: int
    commits: int
    """How many changes of committed offsets were held against what was settled."""
    ordered: int
    """How many pairs of one user's events were compared."""
    accepted: Mapping[str, int]
    """Different events, by destination."""
    windowed: Mapping[str, int]
    """Records of opens that another open stands for, by destination."""
    refused: Mapping[str, int]
    """Records that a dead letter stands for, by destination; under "" those that cannot be decoded."""
    duplicates: Mapping[str, int]
    caused: Mapping[str, Sequence[Caused]]
    """By destination, what each kill or other disturbance explains of the duplicates."""

    def __str__(self) -> str:
        lines = [f"{self.records} records, {self.commits} commits and {self.ordered} neighbours judged"]
        for name, accepted in self.accepted.items():
            kills = "".join(f"; by {one.by.name} {one}" for one in self.caused[name])
            lines.append(
                f"{name}: {accepted} accepted, {self.windowed[name]} windowed, {self.refused[name]} refused, "
                f"{self.duplicates[name]} duplicates{kills}"
            )
        if self.findings:
            lines.append(str(self.findings))
        return "\n".join(lines)


def check(evidence: Evidence, on_the_wire: Mapping[str, int]) -> Report:
    """Judge a run that has come to its end.

    `on_the_wire`: how many items one process can have on the wire to each destination, its concurrency times
    its array size.
    """
    findings = Findings()
    disturbances = [*map(kill, evidence.kills_ms), *evidence.disturbances]
    expectation = Expectation.of(evidence.records, EventReader(evidence.schemas))
    arrivals = {
        name: Arrivals(name, named_singles(items, expectation), expectation)
        for name, items in evidence.accepted.items()
    }
    settled = Settled(arrivals, evidence.letters, findings)
    times: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for expected in expectation.records:
        times[expected.place.partition].append((expected.place.offset, settled.at_ms(expected)))
    return Report(
        findings,
        records=len(expectation.records),
        commits=sum(
            judge_commits(commits, times, evidence.ends, findings)
            for commits in (evidence.commits, evidence.seen)
            if commits
        ),
        ordered=sum(judge_order(one, expectation, findings) for one in arrivals.values()),
        accepted={name: len(one.first) for name, one in arrivals.items()},
        windowed=settled.windowed,
        refused=settled.refused,
        duplicates={name: len(one.repeats) for name, one in arrivals.items()},
        caused={
            name: judge_repeats(one, disturbances, on_the_wire[name], findings)
            for name, one in arrivals.items()
        },
    )
