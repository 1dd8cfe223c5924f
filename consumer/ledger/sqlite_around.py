"""What stands around some intents, read in a few statements for all of them, and kept up while they are decided.

A statement for each would hand over the interpreter's lock several times an intent, and get it back only when the busy
event loop lets go: half a millisecond each.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from consumer.core.claims import Accepted, Once, Reserved
from consumer.core.reservations import Known
from consumer.core.windows import span
from consumer.ledger.ledger import Intent
from consumer.ledger.sqlite_schema import CONFIRMED, DEAD_LETTERED
from consumer.ledger.sqlite_tables import Tables, in_lists
from consumer.types import Origin


class Around:
    """Belongs to one transaction, and to the intents that it was made for."""

    def __init__(self, tables: Tables, intents: Sequence[Intent]) -> None:
        self._tables = tables
        self._confirmed: dict[bytes, Origin] = {}
        self._buried: set[bytes] = set()
        self._reserved: dict[bytes, Reserved] = {}
        self._rivals: defaultdict[bytes, dict[bytes, Reserved]] = defaultdict(dict)
        self._scope_of: dict[bytes, bytes] = {}
        self._accepted: defaultdict[bytes, list[Accepted]] = defaultdict(list)
        self._read_slots(list(dict.fromkeys(intent.slot for intent in intents)))
        onces = [intent.once for intent in intents if intent.once is not None]
        if onces:
            self._read_scopes(onces)

    def known(self, intent: Intent) -> Known:
        """What there is for the decision on one of them, with what was granted meanwhile."""
        slot, once = intent.slot, intent.once
        scope = None if once is None else once.scope
        return Known(
            confirmed=self._confirmed.get(slot),
            buried=slot in self._buried and self._is_buried(intent),
            reserved=self._reserved.get(slot),
            accepted=() if scope is None else self._accepted[scope],
            rivals=() if scope is None else list(self._rivals[scope].values()),
        )

    def grant(self, intent: Intent, token: int, ended: Iterable[Reserved]) -> None:
        """It holds its slot and its window from now on, and these do not any more."""
        for row in ended:
            self._end(row.slot)
        once = intent.once
        at_ms, scope = (None, None) if once is None else (once.at_ms, once.scope)
        self._put(Reserved(intent.slot, intent.holder, False, at_ms, token), scope)

    def _read_slots(self, slots: Sequence[bytes]) -> None:
        tables = self._tables
        for listed, piece in in_lists(slots):
            rows = tables.connection.execute(
                f"SELECT slot, state, source, offset FROM settled WHERE slot {listed} AND written_s >= ?",
                (*piece, tables.key_horizon_s),
            )
            for slot, state, *place in rows.fetchall():
                if state == CONFIRMED:
                    self._confirmed[slot] = tables.origin(*place)
                elif state == DEAD_LETTERED:
                    self._buried.add(slot)
            self._read_reserved(f"slot {listed}", piece)

    def _read_scopes(self, onces: Sequence[Once]) -> None:
        tables = self._tables
        spans = [span(once) for once in onces]
        # More than what is near does no harm, so that one range will do for all.
        reach = min(first for first, _ in spans), max(last for _, last in spans)
        for listed, piece in in_lists(list(dict.fromkeys(once.scope for once in onces))):
            self._read_reserved(f"scope {listed} AND at_ms BETWEEN ? AND ?", (*piece, *reach))
            rows = tables.connection.execute(
                f"SELECT scope, at_ms, source, offset FROM windows WHERE scope {listed} "
                "AND at_ms BETWEEN ? AND ? AND expires_s > ?",
                (*piece, *reach, tables.now_s),
            )
            for scope, at_ms, *place in rows.fetchall():
                self._accepted[scope].append(Accepted(at_ms, tables.holder(*place)))

    def _read_reserved(self, condition: str, values: Sequence[bytes | int | None]) -> None:
        tables = self._tables
        rows = tables.connection.execute(
            "SELECT slot, source, offset, owner, expires_ms, scope, at_ms, token "
            f"FROM reservations WHERE {condition}",
            values,
        )
        for slot, source, offset, owner, expires_ms, scope, at_ms, token in rows.fetchall():
            lapsed = tables.lapsed(owner, expires_ms)
            self._put(Reserved(slot, tables.holder(source, offset), lapsed, at_ms, token), scope)

    def _put(self, row: Reserved, scope: bytes | None) -> None:
        self._end(row.slot)
        self._reserved[row.slot] = row
        if scope is not None:
            self._scope_of[row.slot] = scope
            self._rivals[scope][row.slot] = row

    def _end(self, slot: bytes) -> None:
        self._reserved.pop(slot, None)
        scope = self._scope_of.pop(slot, None)
        if scope is not None:
            del self._rivals[scope][slot]

    def _is_buried(self, intent: Intent) -> bool:
        """Whether this very record left a dead letter: that of its slot may be another's. Few ask."""
        if intent.redrive:
            return False
        tables = self._tables
        number = tables.number(intent.topic, intent.partition, intent.route)
        letter = tables.connection.execute(
            "SELECT 1 FROM letters WHERE slot = ? AND source = ? AND offset = ? AND written_s >= ?",
            (intent.slot, number, intent.offset, tables.key_horizon_s),
        )
        return letter.fetchone() is not None
