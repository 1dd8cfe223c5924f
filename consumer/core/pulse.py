"""Whether something that should turn again and again has stopped to."""


class Pulse:
    """Adds up the time in which a beat has not changed, but only time in which the process itself ran: one that was
    stopped (SIGSTOP, a laptop that sleeps, a machine without a free core) has stalled nothing of its own.
    """

    __slots__ = ("_beat", "limit_s", "stood_s")

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.stood_s = 0.0
        """For how long it has not turned."""
        self._beat: float | None = None

    def look(self, beat: float | None, ran_s: float) -> None:
        """`beat`: any number that changes with each turn, None while there is nothing to turn for. `ran_s`: how long
        the process ran since the last look."""
        if beat is None or beat != self._beat:
            self._beat = beat
            self.stood_s = 0.0
        else:
            self.stood_s += ran_s

    @property
    def stalled(self) -> bool:
        """Whether it has stood for longer than it may."""
        return self.stood_s > self.limit_s


def ran_s(elapsed_s: float, cpu_s: float, interval_s: float) -> float:
    """How long the process ran between two looks that should be `interval_s` apart and were `elapsed_s`.

    A look that comes late was kept from it: by the process itself where that used the CPU meanwhile (a C function that
    holds the interpreter's lock), else by the machine.
    """
    return min(elapsed_s, max(2.0 * interval_s, cpu_s))
