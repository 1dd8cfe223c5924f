"""What a ledger is allowed: how long reservations, keys and windows last."""

from dataclasses import dataclass

from consumer.errors import ConfigurationError

BUCKET_S = 3600
"""Keys and windows expire by whole buckets of this length, counted from 1970."""


@dataclass(frozen=True, slots=True)
class LedgerPolicy:
    """Times in seconds. Raises ConfigurationError where they contradict each other."""

    reservation_age_s: float
    """After this a reservation lapses though its owner lives: the time-out of a request and a margin, so that
    no request outlives its reservation. It is renewed before each send."""

    lease_s: float = 15.0
    """How long a process may be silent before its reservations lapse; it beats three times as often."""

    key_keep_s: int = 24 * 3600
    """How long a key is kept after it was confirmed, by the calendar, and a little longer: expiry goes by
    whole hours. A record that comes again later than that is sent again."""

    window_keep_s: int = 48 * 3600
    """How long the records that occupy windows are kept, likewise."""

    once_keep_s: int = 30 * 24 * 3600
    """How long ids that may pass once for ever are kept, likewise."""

    busy_timeout_s: float = 5.0
    """How long to wait for another process that writes the same file."""

    max_bytes: int | None = None
    """The largest size of the file, None for what the disk has. At the limit the ledger fails closed."""

    def __post_init__(self) -> None:
        findings = [
            f"ledger {name} is {value:g}: it must be above 0"
            for name, value in (
                ("reservation_age_s", self.reservation_age_s),
                ("lease_s", self.lease_s),
                ("busy_timeout_s", self.busy_timeout_s),
            )
            if value <= 0
        ]
        findings += [
            f"ledger {name} is {value}: it must be at least {BUCKET_S}, because rows expire by whole hours, "
            f"and above reservation_age_s ({self.reservation_age_s:g})"
            for name, value in (
                ("key_keep_s", self.key_keep_s),
                ("window_keep_s", self.window_keep_s),
                ("once_keep_s", self.once_keep_s),
            )
            if value < BUCKET_S or value <= self.reservation_age_s
        ]
        if findings:
            raise ConfigurationError(findings)


def horizon_s(wall_s: float, keep_s: int) -> int:
    """Rows written before this are expired: `keep_s` ago, rounded down to the start of a bucket."""
    return int(wall_s) // BUCKET_S * BUCKET_S - keep_s


def expiry_s(wall_s: float, keep_s: int) -> int:
    """When a row written now expires: `keep_s` later, rounded up to the end of its bucket."""
    return (int(wall_s) + keep_s) // BUCKET_S * BUCKET_S + BUCKET_S
