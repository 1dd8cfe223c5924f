"""The records of a plan, in the order of sending."""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

from consumer.sandbox.generator.author import Author
from consumer.sandbox.generator.emission import Emission
from consumer.sandbox.generator.encoder import Schema
from consumer.sandbox.generator.kind import REPEATED_OPENS, Kind
from consumer.sandbox.generator.mix import Mix
from consumer.sandbox.generator.payloads import WEIGHTS
from consumer.sandbox.generator.plan import Plan
from consumer.sandbox.generator.user import User

_WINDOW_MS = 20 * 60 * 1000
_FAR = 20_000
"""How many records a duplicate may lie behind its original: far beyond one chunk, array or commit."""
_DRAW = 512

T = TypeVar("T")


class Stream:
    """Iterates over a plan's emissions, once. Pure: no I/O, no clock, one source of chance.

    Each record is the duplicate that is due, else the repeated open that is due, else something new.
    """

    def __init__(self, plan: Plan, schema: Schema) -> None:
        self._plan = plan
        self._rng = Random(plan.seed)
        self._author = Author(plan, schema, self._rng)
        self._sequence = itertools.count()  # ties in the heaps are settled by age
        self._duplicates: list[tuple[int, int, Emission]] = []  # first the index at which it is due
        self._followers: list[tuple[int, int, int, User, Kind]] = []  # first the time at which it is due
        self._shapes = itertools.cycle(REPEATED_OPENS)
        mix = plan.mix
        shares = _shares_of_new(mix)
        self._kinds = self._draws(list(shares), list(shares.values()))
        self._types = self._draws(list(WEIGHTS), list(WEIGHTS.values()))
        repeatable = 1 - mix.duplicates - mix.undecodable - mix.tombstones
        self._repeat_chance = mix.duplicates / repeatable if mix.duplicates else 0.0

    def __iter__(self) -> Iterator[Emission]:
        plan, chance, traced = self._plan, self._rng.random, self._plan.mix.traced
        for index in range(plan.count):
            emission = self._next(index, plan.at_ms(index))
            if emission.kind is not Kind.DUPLICATE and emission.kind.is_event:
                self._schedule_duplicate(index, emission)
            yield emission._replace(headers=self._trace()) if chance() < traced else emission

    def _next(self, index: int, now_ms: int) -> Emission:
        duplicates, followers = self._duplicates, self._followers
        if duplicates and duplicates[0][0] <= index:
            original = heapq.heappop(duplicates)[2]
            return original._replace(kind=Kind.DUPLICATE, timestamp_ms=now_ms)
        if followers and followers[0][0] <= now_ms:
            _, _, occurred_ms, user, kind = heapq.heappop(followers)
            return self._author.open(kind, user, now_ms, occurred_ms)
        kind = next(self._kinds)
        if kind in REPEATED_OPENS:
            return self._first_of_two(now_ms)
        return self._author.write(kind, next(self._types), now_ms)

    def _first_of_two(self, now_ms: int) -> Emission:
        """An open, and another of the same user scheduled: mostly one after it, at times one before it."""
        user, shape = self._author.quiet_user(), next(self._shapes)
        distance_ms = self._distance_ms(shape)
        due_ms = occurred_ms = now_ms + distance_ms
        if due_ms > self._plan.at_ms(self._plan.count - 1) or self._rng.random() < 0.2:
            # Windows look back too: the second to arrive is the first that happened.
            due_ms, occurred_ms = now_ms, now_ms - distance_ms
        heapq.heappush(self._followers, (due_ms, next(self._sequence), occurred_ms, user, shape))
        return self._author.open(Kind.PLAIN, user, now_ms, now_ms)

    def _distance_ms(self, shape: Kind) -> int:
        match shape:
            case Kind.OPEN_INSIDE:
                return self._rng.randrange(1_000, _WINDOW_MS - 1)
            case Kind.OPEN_LAST_MOMENT:
                return _WINDOW_MS - 1
            case Kind.OPEN_AT_EDGE:
                return _WINDOW_MS
            case _:
                return self._rng.randrange(_WINDOW_MS + 1, 2 * _WINDOW_MS)

    def _schedule_duplicate(self, index: int, emission: Emission) -> None:
        rng, left = self._rng, self._plan.count - 1 - index
        if left < 1 or rng.random() >= self._repeat_chance:
            return
        distance = rng.choice((1, rng.randint(2, 50), rng.randint(51, _FAR)))
        heapq.heappush(self._duplicates, (index + min(distance, left), next(self._sequence), emission))

    def _trace(self) -> list[tuple[str, str | bytes | None]]:
        context = f"00-{self._rng.getrandbits(128):032x}-{self._rng.getrandbits(64):016x}-01"
        return [("traceparent", context.encode())]

    def _draws(self, choices: Sequence[T], weights: Sequence[float]) -> Iterator[T]:
        # Drawn ahead in lots: one draw of many costs a fraction of many draws of one.
        cumulative = list(itertools.accumulate(weights))
        while True:
            yield from self._rng.choices(choices, cum_weights=cumulative, k=_DRAW)


def _shares_of_new(mix: Mix) -> dict[Kind, float]:
    """The kinds of what is neither duplicate nor scheduled open; OPEN_INSIDE stands for a first of two."""
    shares = {
        Kind.OPEN_INSIDE: mix.repeated_opens,
        Kind.REPEATED_ORDER: mix.repeated_orders,
        Kind.LATE: mix.late,
        Kind.BOT: mix.bots,
        Kind.MACHINE_OPEN: mix.machine_opens,
        Kind.NULL_KEY: mix.null_keys,
        Kind.UNKNOWN_USER: mix.unknown_users,
        Kind.INVALID_PHONE: mix.invalid_phones,
        Kind.UNREGISTERED_PAIR: mix.unregistered_pairs,
        Kind.UNKNOWN_EXPERIENCE: mix.unknown_experiences,
        Kind.LONG_NAME: mix.long_names,
        Kind.WRONG_MAGIC: mix.wrong_magic,
        Kind.UNKNOWN_SCHEMA: mix.unknown_schemas,
        Kind.TRUNCATED: mix.truncated,
        Kind.TRAILING_BYTES: mix.trailing_bytes,
        Kind.EMPTY_VALUE: mix.empty_values,
        Kind.TOMBSTONE: mix.tombstones,
    }
    new = 1 - mix.duplicates - mix.repeated_opens
    return {Kind.PLAIN: max(0.0, new - sum(shares.values())), **shares}
