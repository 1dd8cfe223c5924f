"""All users of a stream."""

import hashlib
import itertools
from bisect import bisect
from random import Random

from consumer.sandbox.generator.encoder import EventEncoder
from consumer.sandbox.generator.user import Place, User

# What makes a user unknown to every receiver: the simulator knows the same three as plain data of its own.
UNKNOWN_USER_PREFIX = "unknown-"
UNKNOWN_EMAIL_DOMAIN = "unknown.invalid"
UNKNOWN_PHONE_PREFIX = "+199"

# The most active users would be far ahead of all others without this; with it the first has half a percent.
_RANKS_CUT_OFF = 20

_FIRSTNAMES = (
    "Ada",
    "Bo",
    "Chidi",
    "Dilnoza",
    "Elif",
    "Freya",
    "Goran",
    "Hana",
    "Ines",
    "Jürgen",
    "Kofi",
    "Lucía",
)
_LASTNAMES = (
    "Abe",
    "Bauer",
    "Costa",
    "Diallo",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ito",
    "Jensen",
    "Kaya",
)
_PLACES = (
    Place("en-GB", "Europe/London", "London", "GB"),
    Place("en-US", "America/Chicago", "Chicago", "US"),
    Place("de-DE", "Europe/Berlin", "Berlin", "DE"),
    Place("fr-FR", "Europe/Paris", "Lyon", "FR"),
    Place("pt-BR", "America/Sao_Paulo", "São Paulo", "BR"),
    Place("ja-JP", "Asia/Tokyo", "大阪", "JP"),
)
_BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0"
_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4"
_USER_AGENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_BLINK} Safari/537.36",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) {_WEBKIT} Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {_BLINK} Mobile Safari/537.36",
)
# A multiple of both lengths: every user agent comes with every place, and a context is of its user's place.
_CONTEXTS = len(_PLACES) * len(_USER_AGENTS) * 32


class Population:
    """Users by rank, the most active first. A user depends on seed and rank, not on the order of asking."""

    def __init__(self, encoder: EventEncoder, *, seed: int, users: int, skew: float) -> None:
        self._encoder = encoder
        # The seed's tag keeps the users of two streams apart: one stream's windows do not close the other's.
        self._tag = f"{seed & 0xFFFFFFFF:08x}"
        self._size = users
        self._known: dict[int, User] = {}
        self._unknown: dict[int, User] = {}
        self._contexts: dict[int, bytes] = {}
        weights = ((rank + _RANKS_CUT_OFF) ** -skew for rank in range(1, users + 1))
        self._cumulative = list(itertools.accumulate(weights))

    def pick(self, rng: Random) -> User:
        """A user, by activity."""
        rank = bisect(self._cumulative, rng.random() * self._cumulative[-1], 0, self._size - 1)
        return self._known.get(rank) or self._add(rank)

    def pick_quiet(self, rng: Random) -> User:
        """One of the less active half, whose other events seldom interfere."""
        rank = self._size - 1 - int(rng.random() * (self._size // 2 + self._size % 2))
        return self._known.get(rank) or self._add(rank)

    def pick_unknown(self, rng: Random) -> User:
        """One of a few users whom no receiver knows; some of them turn up again."""
        rank = int(rng.random() * max(1, self._size // 50))
        if rank not in self._unknown:
            self._unknown[rank] = self._unknown_user(rank)
        return self._unknown[rank]

    def single(self, number: int) -> User:
        """A user outside the ranks, for one event only."""
        return self._user(f"single-{self._tag}-{number:06d}", number)

    def visitor(self, number: int) -> User:
        """A user outside the ranks who was a visitor first, and so has an anonymous id."""
        name = f"visitor-{self._tag}-{number:06d}"
        identifiers = {
            "user_id": name,
            "email": f"{name}@example.com",
            "phone": None,
            "anonymous_id": f"anon-{name}",
            "external_id": name,
        }
        return self._build(name, identifiers, _digest(name))

    def _add(self, rank: int) -> User:
        user = self._known[rank] = self._user(f"usr-{self._tag}-{rank:06d}", rank)
        return user

    def _user(self, name: str, rank: int) -> User:
        chance = _digest(name)
        has_user_id = chance % 33 != 0
        identifiers = {
            "user_id": name if has_user_id else None,
            "email": f"{name}@example.com" if chance % 25 != 0 or not has_user_id else None,
            "phone": f"+1555{rank:07d}" if chance % 9 < 5 else None,
            "anonymous_id": f"anon-{name}" if chance % 10 < 3 else None,
            "external_id": name,
        }
        return self._build(name, identifiers, chance)

    def _unknown_user(self, rank: int) -> User:
        name = f"{UNKNOWN_USER_PREFIX}{self._tag}-{rank:06d}"
        identifiers = {
            "user_id": name,
            "email": f"{name}@{UNKNOWN_EMAIL_DOMAIN}",
            "phone": f"{UNKNOWN_PHONE_PREFIX}{rank:08d}",
            "anonymous_id": None,
            "external_id": name,
        }
        return self._build(name, identifiers, _digest(name))

    def _build(self, name: str, identifiers: dict[str, str | None], chance: int) -> User:
        return User(
            key=name.encode(),
            identifiers=identifiers,
            firstname=_FIRSTNAMES[chance % len(_FIRSTNAMES)],
            lastname=_LASTNAMES[chance % len(_LASTNAMES)],
            place=_PLACES[chance % len(_PLACES)],
            encoded_identifiers=self._encoder.part("user", identifiers),
            encoded_context=self._context(chance % _CONTEXTS),
        )

    def _context(self, number: int) -> bytes:
        encoded = self._contexts.get(number)
        if encoded is None:
            place = _PLACES[number % len(_PLACES)]
            context = {
                "user_agent": _USER_AGENTS[number % len(_USER_AGENTS)],
                "ip": f"198.51.100.{number % 254 + 1}",
                "locale": place.locale,
                "timezone": place.timezone,
                "app_version": f"1.{number % 9}.{number % 4}",
                "app_build": str(400 + number % 90),
            }
            encoded = self._contexts[number] = self._encoder.part("context", context)
        return encoded


def _digest(name: str) -> int:
    """The same for the same name, on every machine."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
