"""When each record was settled at all of its destinations, as far as the outside can see."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from tests.checker.arrivals import Arrivals
from tests.checker.evidence import Letter, Place
from tests.checker.expectation import UNREADABLE, Expected
from tests.checker.fate import Accepted, Fate, Ignored, Opened, Refused
from tests.checker.findings import Findings

LOST = "lost: neither accepted, nor windowed, nor a dead letter"
WRONGLY_ACCEPTED = "accepted, though it must not be sent there or must be refused"
WRONGLY_BURIED = "dead-lettered, though the receiver takes it or no route sends it"
TOO_CLOSE = "two accepted opens of one scope less than 20 minutes apart"
STRANGER = "accepted, but no record of the topic has that id"
TOUCHED = "a dead letter whose key, value or headers are not its record's"

NEVER = 1 << 62


class Settled:
    """Judges every record at every destination; `at_ms` then gives when it was settled."""

    def __init__(
        self, arrivals: Mapping[str, Arrivals], letters: Iterable[Letter], findings: Findings
    ) -> None:
        self._arrivals = arrivals
        self._findings = findings
        self.windowed: Counter[str] = Counter()
        """By destination, how many records of opens another open stands for."""
        self.refused: Counter[str] = Counter()
        """By destination, how many records a dead letter stands for."""
        self._letters: defaultdict[tuple[Place, str], list[Letter]] = defaultdict(list)
        for letter in letters:
            self._letters[letter.place, letter.destination].append(letter)
        for arrival in arrivals.values():
            for item in arrival.strangers:
                findings.add(STRANGER, f"{arrival.destination}: item {item.seq}, event {item.event_id}")
            for one, other in arrival.too_close():
                findings.add(TOO_CLOSE, f"{arrival.destination}: events {one} and {other}")

    def at_ms(self, expected: Expected) -> int:
        """The last of its destinations' times; `NEVER` where it is lost at one. Adds what is wrong."""
        self._judge_letters(expected)
        return max(self._at_one(expected, name, fate) for name, fate in expected.fates.items())

    def _at_one(self, expected: Expected, destination: str, fate: Fate) -> int:
        accepted_ms = self._accepted_ms(expected, destination)
        match fate:
            case Ignored():
                at_ms: int | None = 0
            case Accepted():
                at_ms = accepted_ms
            case Opened():
                at_ms = accepted_ms
                if at_ms is None:
                    at_ms = self._arrivals[destination].windowed_at_ms(fate)
                    self.windowed[destination] += 1
            case Refused():
                letters = self._letters.get((expected.place, destination), ())
                at_ms = min((letter.at_ms for letter in letters), default=None)
                self.refused[destination] += 1
        if at_ms is None:
            self._findings.add(LOST, f"{_name(expected)} at {destination or 'the decoder'}: {fate}")
            return NEVER
        if accepted_ms is not None and isinstance(fate, Ignored | Refused):
            self._findings.add(WRONGLY_ACCEPTED, f"{_name(expected)} at {destination}: {fate}")
        return at_ms

    def _accepted_ms(self, expected: Expected, destination: str) -> int | None:
        if expected.event is None or destination == UNREADABLE:
            return None
        return self._arrivals[destination].accepted_at_ms(expected.event.id)

    def _judge_letters(self, expected: Expected) -> None:
        for destination in (UNREADABLE, *self._arrivals):
            letters = self._letters.get((expected.place, destination), ())
            if letters and not isinstance(expected.fates.get(destination), Refused):
                reason = letters[0].stored.header("distinct-consumer.reason")
                self._findings.add(WRONGLY_BURIED, f"{_name(expected)} at {destination}: {reason!r}")
            for letter in letters:
                if not _untouched(expected, letter):
                    self._findings.add(TOUCHED, _name(expected))


def _untouched(expected: Expected, letter: Letter) -> bool:
    record, stored = expected.stored, letter.stored
    same = stored.key == record.key and stored.value == record.value
    return same and stored.headers[: len(record.headers)] == record.headers


def _name(expected: Expected) -> str:
    partition, offset = expected.place
    what = "no event" if expected.event is None else f"{expected.event.type} {expected.event.id}"
    return f"partition {partition} offset {offset} ({what})"
