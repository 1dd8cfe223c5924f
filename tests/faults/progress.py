"""How long until deliveries go on."""

import time

from tests.integration.stage import Stage


class Progress:
    """From its making to the next thing that a receiver accepts."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._before = accepted(stage)
        self._since_s = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since its making."""
        return time.monotonic() - self._since_s

    def wait(self, timeout_s: float = 60.0) -> float:
        """The seconds until any receiver has more than it had. Where something may still be on the wire, `probe`
        says more."""
        self._stage.wait_until(lambda: accepted(self._stage) > self._before, timeout_s)
        return self.seconds

    def probe(self, timeout_s: float = 60.0, *, partition: int = 0) -> float:
        """The seconds until the receiver has a record that is produced only now."""
        name = f"probe-{time.monotonic_ns()}"
        self._stage.produce_customs(name, partition=partition)
        self._stage.wait_until(lambda: name in self._stage.accepted_ids(), timeout_s)
        return self.seconds


def accepted(stage: Stage) -> int:
    """How much the receivers have accepted."""
    return sum(book["accepted"] for book in stage.receiver.remote.books().values())
