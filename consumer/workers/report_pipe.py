"""The worker's end of the pipe through which it tells its parent."""

import os

from consumer.workers.reports import Beat, Ended, Started, encode


class ReportPipe:
    """Writes whole lines. A parent that does not read (stopped, swapped out) must not hold up the delivery: what does
    not go into the pipe waits, and beats meanwhile are left out.
    """

    def __init__(self, to: int) -> None:
        """`to`: a file descriptor of its own, which nothing else writes to."""
        self._to = to
        self._rest = b""
        os.set_blocking(to, False)

    def tell(self, report: Started | Beat) -> None:
        """Does not wait. Nothing where the parent is gone."""
        self._write()
        if self._rest and isinstance(report, Beat):
            return
        self._rest += encode(report)
        self._write()

    def end(self, report: Ended) -> None:
        """The last word: waits until it is in the pipe, or the parent is gone."""
        os.set_blocking(self._to, True)
        self._rest += encode(report)
        self._write()

    def _write(self) -> None:
        try:
            while self._rest:
                self._rest = self._rest[os.write(self._to, self._rest) :]
        except BlockingIOError:
            return
        except OSError:
            self._rest = b""  # nobody listens any more
