"""Makes new records of each kind."""

import itertools
import struct
from collections import deque
from random import Random
from typing import Any

from consumer.sandbox.generator.crawlers import CRAWLERS
from consumer.sandbox.generator.emission import Emission
from consumer.sandbox.generator.encoder import EventEncoder, Schema
from consumer.sandbox.generator.kind import Kind
from consumer.sandbox.generator.payloads import Payloads
from consumer.sandbox.generator.plan import Plan
from consumer.sandbox.generator.poison import Poison
from consumer.sandbox.generator.population import Population
from consumer.sandbox.generator.user import User
from consumer.sandbox.generator.visitors import steps

_MAX_LATENESS_MS = 45 * 60 * 1000
_ORDERS_REMEMBERED = 1_000
# What every API that looks users up is asked about; opens and engagements more often than the rest.
_OF_UNKNOWN_USERS = (
    *["EmailOpened"] * 3,
    *["Engagement"] * 5,
    "CaptureEvent",
    "ProfileUpdated",
)
_INVALID_PHONES = ("07700 900123", "+49 (0)30 123456", "0015551234567", "+1-555-0100", "n/a")


class Author:
    """Writes one record at a time: who, what and when, framed as the registry's clients frame it."""

    def __init__(self, plan: Plan, schema: Schema, rng: Random) -> None:
        self._rng = rng
        self._encoder = EventEncoder(schema)
        self._population = Population(self._encoder, seed=plan.seed, users=plan.mix.users, skew=plan.mix.skew)
        self._payloads = Payloads(rng)
        self._poison = Poison(rng)
        self._frame = b"\x00" + struct.pack(">I", plan.schema_id)
        self._singles = itertools.count()
        self._identified: set[bytes] = set()
        self._steps = steps(self._population)
        self._orders: deque[tuple[User, dict[str, Any]]] = deque(maxlen=_ORDERS_REMEMBERED)

    def write(self, kind: Kind, payload: str, now_ms: int) -> Emission:
        """A record of this kind as of now.

        Plain, late and undecodable ones have the payload type that is given; the others have their own.
        """
        rng, population, payloads = self._rng, self._population, self._payloads
        match kind:
            case Kind.PLAIN:
                return self._any(kind, payload, now_ms, now_ms)
            case Kind.LATE:
                return self._any(kind, payload, now_ms, now_ms - rng.randrange(1_000, _MAX_LATENESS_MS))
            case Kind.BOT:
                context = self._encoder.part("context", {"user_agent": rng.choice(CRAWLERS)})
                payload = "PageVisited" if rng.random() < 0.5 else "EmailOpened"
                return self._event(kind, population.pick(rng), payload, now_ms, context=context)
            case Kind.MACHINE_OPEN:
                user = population.pick(rng)
                fields = {**payloads.make("EmailOpened", user), "machine": True}
                return self._event(kind, user, "EmailOpened", now_ms, fields=fields)
            case Kind.NULL_KEY:
                user = population.single(next(self._singles))
                return self._event(kind, user, "Engagement", now_ms)._replace(key=None)
            case Kind.UNKNOWN_USER:
                payload = rng.choice(_OF_UNKNOWN_USERS)
                return self._event(kind, population.pick_unknown(rng), payload, now_ms)
            case Kind.INVALID_PHONE:
                user = population.pick(rng)
                identifiers = {**user.identifiers, "phone": rng.choice(_INVALID_PHONES)}
                encoded = self._encoder.part("user", identifiers)
                return self._event(kind, user, "Engagement", now_ms, identifiers=encoded)
            case Kind.UNREGISTERED_PAIR:
                return self._event(
                    kind, population.pick(rng), "Engagement", now_ms, fields=payloads.unregistered()
                )
            case Kind.UNKNOWN_EXPERIENCE:
                return self._event(
                    kind, population.pick(rng), "CaptureEvent", now_ms, fields=payloads.uncharted()
                )
            case Kind.REPEATED_ORDER:
                return self._repeated_order(now_ms)
            case Kind.LONG_NAME:
                return self._event(
                    kind, population.pick(rng), "CustomEvent", now_ms, fields=payloads.long_named()
                )
            case Kind.TOMBSTONE:
                return Emission(kind, "", population.pick(rng).key, None, None, now_ms)
            case _:
                good = self._any(kind, payload, now_ms, now_ms)
                return good._replace(payload="", value=self._poison.spoil(kind, good.value or b""))

    def quiet_user(self) -> User:
        """A user with few other events."""
        return self._population.pick_quiet(self._rng)

    def open(self, kind: Kind, user: User, now_ms: int, occurred_ms: int) -> Emission:
        """An open of this user, sent now, that happened then."""
        return self._event(kind, user, "EmailOpened", now_ms, occurred_ms=occurred_ms)

    def _any(self, kind: Kind, payload: str, now_ms: int, occurred_ms: int) -> Emission:
        user = self._population.pick(self._rng)
        if payload == "Aliased":
            if kind is Kind.PLAIN:
                return self._visitor(now_ms)
            payload = "CustomEvent"
        if payload in ("Identified", "DeviceRegistered") and user.key not in self._identified:
            # A receiver silently drops the device of a user whom it does not know yet.
            payload = "Identified"
            if kind is Kind.PLAIN:
                self._identified.add(user.key)
        if payload == "PurchaseConfirmed":
            return self._order(kind, user, now_ms, occurred_ms)
        return self._event(kind, user, payload, now_ms, occurred_ms=occurred_ms)

    def _visitor(self, now_ms: int) -> Emission:
        user, payload, anonymous = next(self._steps)
        if not anonymous:
            return self._event(Kind.PLAIN, user, payload, now_ms)
        identifiers = self._encoder.part("user", {"anonymous_id": user.identifiers["anonymous_id"]})
        fields = self._payloads.make(payload, user)
        if payload == "PageVisited":
            fields["experience_id"] = None  # an experience's receiver could not tell whose visit it is
        return self._event(Kind.PLAIN, user, payload, now_ms, fields=fields, identifiers=identifiers)

    def _order(self, kind: Kind, user: User, now_ms: int, occurred_ms: int) -> Emission:
        fields = self._payloads.make("PurchaseConfirmed", user)
        if kind is Kind.PLAIN and fields["order_id"] is not None:
            self._orders.append((user, fields))
        return self._event(kind, user, "PurchaseConfirmed", now_ms, occurred_ms=occurred_ms, fields=fields)

    def _repeated_order(self, now_ms: int) -> Emission:
        """Another event about an order of some time ago; a new order where there was none yet."""
        if not self._orders:
            return self._order(Kind.PLAIN, self._population.pick(self._rng), now_ms, now_ms)
        user, fields = self._orders[int(self._rng.random() * len(self._orders))]
        return self._event(Kind.REPEATED_ORDER, user, "PurchaseConfirmed", now_ms, fields=fields)

    def _event(
        self,
        kind: Kind,
        user: User,
        payload: str,
        now_ms: int,
        *,
        occurred_ms: int | None = None,
        fields: dict[str, Any] | None = None,
        identifiers: bytes | None = None,
        context: bytes | None = None,
    ) -> Emission:
        part = self._encoder.part
        digits = f"{self._rng.getrandbits(128):032x}"
        event_id = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
        body = self._encoder.event(
            {
                "id": part("id", event_id),
                "occurred_at": part("occurred_at", now_ms if occurred_ms is None else occurred_ms),
                "user": identifiers or user.encoded_identifiers,
                "context": context or user.encoded_context,
                "payload": part("payload", (payload, fields or self._payloads.make(payload, user))),
            }
        )
        return Emission(kind, payload, user.key, self._frame + body, None, now_ms)
