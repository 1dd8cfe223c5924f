"""The same message over and over, once in a while only."""

import logging
import re
import threading
from dataclasses import dataclass

from consumer.clock import Clock

_MOST_KNOWN = 1000
_MOST_CHARACTERS = 200
_NUMBERS = re.compile(r"\d+")


@dataclass(slots=True)
class _Seen:
    since_s: float
    count: int = 1


class RepeatFilter(logging.Filter):
    """Lets a message through `burst` times in `interval_s`; the next one then says how many were left out.

    Two messages are the same if they have the same logger, level and text, before its values are filled in
    and whatever its numbers: an outage says one thing about a thousand partitions.
    """

    def __init__(
        self, clock: Clock, interval_s: float = 10.0, burst: int = 3, *, filled_in: bool = False
    ) -> None:
        """`filled_in`: for a library whose text is nothing but its values, compare the whole."""
        super().__init__()
        self._filled_in = filled_in
        self._clock = clock
        self._interval_s = interval_s
        self._burst = burst
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int, str], _Seen] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it. Sets `repeats` on a record that stands for some that were left out."""
        if self._filled_in:
            record.msg, record.args = record.getMessage(), ()
        text = _NUMBERS.sub("#", str(record.msg)[:_MOST_CHARACTERS])
        key = (record.name, record.levelno, text)
        now_s = self._clock.monotonic_s()
        with self._lock:
            seen = self._known.get(key)
            if seen is not None and now_s - seen.since_s < self._interval_s:
                seen.count += 1
                return seen.count <= self._burst
            if seen is not None and seen.count > self._burst:
                record.repeats = seen.count - self._burst
            if seen is None and len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = _Seen(now_s)
        return True
