"""How far a partition may be read, and which of its records somebody may have died of."""

STRIDE = 20_000
"""How many offsets are ventured at a time: at ten thousand records a second one write in the ledger every second, and
a second of rehearsals after a crash."""


class Horizon:
    """One assignment's. A record is decoded only below `reach`, which the ledger knows by then; so whoever takes over
    after a crash knows where the record that killed may lie, and takes care below it.

    When the assignment ends in good order, `wary_below` is what the ledger is left with: none of our own records
    killed us, and those of before that we did not come to are still in question.
    """

    __slots__ = ("_asked", "reach", "wary_below")

    def __init__(self, position: int, met_below: int = 0) -> None:
        """`position`: where reading begins; `met_below`: as the ledger has it from the owner before."""
        self.wary_below = met_below
        """Records below this may have been met by a process that died."""
        self.reach = max(position + STRIDE, met_below)
        """What the ledger knows; records below may be met."""
        self._asked = self.reach

    def clear(self, first: int, last: int) -> bool:
        """Whether a chunk from `first` to `last` may be decoded without further ado."""
        return first >= self.wary_below and last < self.reach

    def is_near(self, last: int) -> bool:
        """Whether reading has come so close to what was asked for that more should be."""
        return last + STRIDE // 2 >= self._asked

    def ask(self, last: int) -> int:
        """The next horizon, for the ledger."""
        self._asked = max(self._asked, last + 1 + STRIDE)
        return self._asked

    def granted(self, reach: int) -> None:
        """The ledger has it."""
        self.reach = max(self.reach, reach)

    def end_at(self, offset: int) -> None:
        """The partition was read to its end for now: no owner before us can have met what lies beyond."""
        self.wary_below = min(self.wary_below, offset)
