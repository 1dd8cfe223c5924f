"""What the peers have in common: they are made first, and the receiver alone says whether all arrived."""

from abc import ABC, abstractmethod

from bench.child import Command
from bench.receiver import Tally
from bench.setting import Setting
from bench.sides import agree
from bench.workload import ARRAYS, CLIENT_KEY, DISTINCT_KEY, SINGLES, Workload


class Peer(ABC):
    """A `bench.sides.Side` that somebody else wrote, and a program of ours that uses it as its documents say."""

    name: str

    @abstractmethod
    def build(self) -> None:
        """Make it, unless it is there. Blocks, for minutes at times. Raises FaultError where that fails."""

    def records(self, workload: Workload, records: int) -> int:
        """All of them, but for those that are slow."""
        return records

    @abstractmethod
    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        """Deliver all records of the topic, as a new group."""

    def check(self, output: bytes, tally: Tally, records: int, workload: Workload) -> int:
        """All of them arrived; repeats are no fault, because none of them promises that there are none."""
        agree(self.name, {}, tally, repeats=tally.duplicates)
        return 0


def key_of(workload: Workload) -> str:
    """The workload's credential."""
    return DISTINCT_KEY if workload.items == 1 else CLIENT_KEY


def share_of(workload: Workload, arrays: float, singles: float, far: float) -> float:
    """Which part of the records those get who are slow: enough for some seconds of each."""
    return {ARRAYS.name: arrays, SINGLES.name: singles}.get(workload.name, far)
