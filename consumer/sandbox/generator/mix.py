"""How much of what a generated stream holds."""

from dataclasses import dataclass, fields

from consumer.errors import UsageError


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of all records, each between 0 and 1; what is left over are plain events of every payload type.

    The defaults hold about 2 % that a receiver refuses and 1 % that can't be decoded: far from where the
    consumer suspects a mass refusal. Raises UsageError where the shares make no sense.
    """

    users: int = 25_000
    """How many users there are, with activities by a power law; a short stream does not show all of them."""
    skew: float = 0.9
    """The exponent of that power law; at 0 all users are equally active."""

    duplicates: float = 0.05
    """An event that was sent before, sent again byte for byte: next to it, near it or far from it."""
    repeated_opens: float = 0.02
    """A second open of a user: within 20 minutes of the first, at 19:59.999, at 20:00.000, or after that."""
    repeated_orders: float = 0.002
    """Another event that confirms an order which a user had confirmed before."""
    late: float = 0.03
    """An event that is up to 45 minutes older than its neighbours."""
    bots: float = 0.02
    """A page visit or an open with the user agent of a known crawler."""
    machine_opens: float = 0.02
    """An open that the sender knows to be a machine's."""
    null_keys: float = 0.002
    """An event without a record key, each of a user who has no other event: its order means nothing."""

    unknown_users: float = 0.01
    """An event of a user whom no receiver knows."""
    invalid_phones: float = 0.005
    """An engagement whose phone number is not E.164."""
    unregistered_pairs: float = 0.003
    """An engagement whose feature and action are not registered together."""
    unknown_experiences: float = 0.001
    """A capture for an experience that does not exist."""
    long_names: float = 0.002
    """A custom event whose name is over 255 characters."""

    wrong_magic: float = 0.002
    """A value that does not begin with the magic byte: JSON by mistake."""
    unknown_schemas: float = 0.002
    """A value whose schema id no registry has."""
    truncated: float = 0.002
    """An event that ends in the middle."""
    trailing_bytes: float = 0.002
    """An event with bytes after its end."""
    empty_values: float = 0.002
    """A value of no bytes."""
    tombstones: float = 0.004
    """A record without a value."""

    traced: float = 0.01
    """The share of records that carry a W3C traceparent, on top of whatever else they are."""

    def __post_init__(self) -> None:
        if self.users < 1:
            raise UsageError(f"mix: users is {self.users}, and must be at least 1")
        if self.skew < 0:
            raise UsageError(f"mix: skew is {self.skew}, and must not be negative")
        shares = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("users", "skew")}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise UsageError(f"mix: {name} is {share}, and must be between 0 and 1")
        # A repeated open needs a first one, which is an event like any other.
        total = sum(shares.values()) - self.traced + self.repeated_opens
        if self.duplicates > 0.5 or total > 1:
            raise UsageError(
                f"mix: the shares add up to {total:.3f} and duplicates to {self.duplicates}: "
                "they must stay within 1 and 0.5"
            )

    @property
    def refused(self) -> float:
        """The share that some receiver refuses for its user or content, and all that is undecodable."""
        return (
            self.unknown_users
            + self.invalid_phones
            + self.unregistered_pairs
            + self.unknown_experiences
            + self.long_names
            + self.undecodable
        )

    @property
    def undecodable(self) -> float:
        """The share whose value is no event."""
        return (
            self.wrong_magic + self.unknown_schemas + self.truncated + self.trailing_bytes + self.empty_values
        )
