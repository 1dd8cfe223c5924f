"""One request's worth of deliveries."""

from hashlib import blake2b

from consumer.core.lanes import Lane
from consumer.endpoints.collapsing import Collapsing
from consumer.endpoints.endpoint import Operation
from consumer.ledger.ledger import Intent
from consumer.pipeline.work import Delivery


class Batch:
    """An array (or a single), frozen at its first send: the same members, bytes and key at every attempt.

    `rest` are the parts of a bisected array that come after this one, in order: they start when this one ended.
    """

    __slots__ = (
        "_body",
        "_key",
        "attempts",
        "begin_by_s",
        "halted_at",
        "halts",
        "in_doubt",
        "mark",
        "members",
        "operation",
        "rest",
        "sent_at_s",
        "started",
        "unanswered",
        "unclears",
        "votes",
    )

    def __init__(
        self, operation: Operation, members: list[Delivery], rest: tuple[list[Delivery], ...] = ()
    ) -> None:
        self.operation = operation
        self.members = members
        self.rest = rest
        self.attempts = 0
        self.in_doubt = False
        """An attempt had no clear answer: its members' reservations are kept."""
        self.votes = 0
        """Unclear answers that count against the batch, because it was alone with them."""
        self.mark = -1
        """How many successes the destination had at the last unclear answer."""
        self.unclears = 0
        """How many unclear answers it had then, this one included."""
        self.halts = 0
        """Halts in a row that it brought about, each with successes of others since the one before."""
        self.halted_at = -1
        """How many successes the destination had at the last of them."""
        self.begin_by_s = 0.0
        """Until when its reservation is young enough to be sent."""
        self.started = 0
        """What the gate gave when the request started."""
        self.sent_at_s = 0.0
        """When it started."""
        self.unanswered = False
        """On the wire, or acknowledged and not confirmed yet: the receiver may have taken it."""
        self._body: bytes | None = None
        self._key: str | None = None

    @property
    def frozen(self) -> bool:
        """Whether it stays together when it can't go now: it was sent before, or has parts to come after it."""
        return bool(self.attempts or self.rest)

    @property
    def body(self) -> bytes:
        """The request's bytes."""
        if self._body is None:
            self._body = self.operation.body([one.body for one in self.members])
        return self._body

    @property
    def idempotency_key(self) -> str:
        """A digest of its items' keys: the same for the same members, in every process and replay."""
        if self._key is None:
            names = b"".join([one.intent.key or _origin_of(one.intent) for one in self.members])
            self._key = blake2b(names, digest_size=16).hexdigest()
        return self._key

    def keep(self, members: list[Delivery]) -> None:
        """Some members left: what remains is a new array with its own bytes and key."""
        if len(members) != len(self.members):
            self.members = members
            self._body = self._key = None

    def split(self) -> "Batch":
        """The first half, followed by the second and by what came after this batch. Of what was collapsed into one
        object, each member is a part: halves would still be something that nobody has asked for."""
        if isinstance(self.operation, Collapsing):
            return self._part([[one] for one in self.members])
        middle = len(self.members) // 2
        return self._part([self.members[:middle], self.members[middle:]])

    def _part(self, parts: list[list[Delivery]]) -> "Batch":
        part = Batch(self.operation, parts[0], (*parts[1:], *self.rest))
        part.in_doubt = self.in_doubt
        return part

    def anew(self) -> "Batch":
        """What is left of it, as an array that was never sent."""
        left = Batch(self.operation, self.members, self.rest)
        left.in_doubt = self.in_doubt
        return left

    def pull(self, lanes: set[Lane[Delivery]]) -> list[Delivery]:
        """Remove the members of these lanes from the parts to come, in order: their heads went back before them."""
        out: list[Delivery] = []
        if lanes and self.rest:
            out = [one for part in self.rest for one in part if one.lane in lanes]
            parts = ([one for one in part if one.lane not in lanes] for part in self.rest)
            self.rest = tuple(part for part in parts if part)
        return out

    def following(self) -> "Batch | None":
        """The next part, once this one ended; gives each part once."""
        if not self.rest:
            return None
        part = Batch(self.operation, self.rest[0], self.rest[1:])
        self.rest = ()
        # After a definite refusal they were given back; after unclear answers they are still held.
        part.in_doubt = any(one.token for one in part.members)
        return part


def _origin_of(intent: Intent) -> bytes:
    return f"{intent.topic}/{intent.partition}/{intent.offset}".encode()
