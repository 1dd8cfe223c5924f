"""What the admin port asks the process."""

from typing import Any, Protocol


class MetricsSource(Protocol):
    """Answers from memory."""

    def render(self, accept: str) -> tuple[str, bytes]:
        """(content type, text) in the format that the scraper asks for in its Accept header."""
        ...


class StatusSource(Protocol):
    """Answers from memory; only `ready` may wait, for the ledger. All are called on the event loop."""

    def status(self) -> dict[str, Any]:
        """The /status document: JSON values only, no secret, no personal data.

        The books' words at the top (`consumed`, `settled` …, `balanced`, `destinations`), and: `troubles`, what
        holds up the flow (`what`, `reason`, `seconds`: since when);
        `destinations.NAME.state` (running, halted, throttled or paused) and `.reason`; `pending` (`records`,
        `bytes`, `max_records`, `max_bytes`, `paused`); `held_by`, who fills that bound (`destination`,
        `in_flight`, `longest_lane`, `lane`: where its first record lies); `hottest_partition`; `watch`, what the
        watchdogs found (`books`, `stuck_partitions`, `stuck_lanes`, `stalled`, `stalls`); `decoding` (`state`,
        `reason`); `dead_letters` (`unwritable`, `reasons`); `ledger` (`trouble`, `alarms`); `partitions` (`topic`,
        `partition`, `committed`, `unsettled`, `lag`); `topology_version`.
        """
        ...

    def live(self) -> tuple[bool, str]:
        """Whether the process still turns, and if not, what stands."""
        ...

    async def ready(self) -> tuple[bool, str]:
        """Whether it takes part in the group and its ledger answers, and if not, what is missing."""
        ...
