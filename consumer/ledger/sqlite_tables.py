"""What the operations of one transaction share: the time, who lives, the epochs, and small numbers."""

import sqlite3
from collections.abc import Iterator, Sequence

from consumer.core.claims import Holder
from consumer.ledger.owner import Owner
from consumer.ledger.policy import LedgerPolicy, horizon_s
from consumer.types import Origin

_IN_LISTS = {size: f"IN ({', '.join('?' * size)})" for size in (1, 8, 64, 512)}


class Tables:
    """Reads and writes that every operation needs. Belongs to one connection's life between two rollbacks.

    A rollback may undo what is remembered here, so the tables are then made anew.
    """

    def __init__(self, connection: sqlite3.Connection, group: str, policy: LedgerPolicy, boot: str) -> None:
        self.connection = connection
        self.group = group
        self.policy = policy
        self.now_ms = 0
        self.now_s = 0
        self.owner_id = 0
        self._boot = boot
        self._numbers: dict[tuple[str, int, str], int] = {}
        self._sources: dict[int, tuple[str, int, str]] = {}
        self._topologies: dict[str, int] = {}
        self._epochs: dict[tuple[str, int], int] = {}
        self._epochs_are_fresh = False
        self._data_version: int | None = None
        self._living: set[int] | None = None

    def begin(self, now_ms: int, now_s: int) -> None:
        """A transaction has begun. The time was taken after it had the lock: no heartbeat is newer."""
        self.now_ms = now_ms
        self.now_s = now_s
        self._epochs_are_fresh = False
        self._living = None

    def beat(self, owner: Owner) -> None:
        """Keep the lease of this process; where it was missed, the owner becomes another one."""
        until_ms = owner.until_ms(self.now_ms)
        beaten = self.connection.execute(
            "UPDATE owners SET beat_ms = ?, until_ms = ? WHERE id = ? AND boot = ? AND until_ms > ?",
            (self.now_ms, until_ms, owner.id, self._boot, self.now_ms),
        )
        if beaten.rowcount == 0:
            owner.replace()
            self.connection.execute(
                "INSERT INTO owners (id, boot, beat_ms, until_ms) VALUES (?, ?, ?, ?)",
                (owner.id, self._boot, self.now_ms, until_ms),
            )
        owner.beat(self.now_ms)

    def lapsed(self, owner: int, expires_ms: int) -> bool:
        """Whether a reservation lapsed, by its age or its owner's silence.

        An owner of another boot lapsed: its times say nothing. So did one that beat in the future, which
        is how another boot looks where the system has no name for boots.
        """
        if expires_ms <= self.now_ms:
            return True
        if self._living is None:
            rows = self.connection.execute(
                "SELECT id FROM owners WHERE boot = ? AND beat_ms <= ? AND until_ms > ?",
                (self._boot, self.now_ms, self.now_ms),
            )
            self._living = {row[0] for row in rows}
        return owner not in self._living

    @property
    def key_horizon_s(self) -> int:
        """Rows of `settled` and `letters` written before this count no more."""
        return horizon_s(self.now_s, self.policy.key_keep_s)

    def epoch(self, topic: str, partition: int) -> int:
        """The epoch that stands, below all others where none was written."""
        if not self._epochs_are_fresh:
            self._refresh_epochs()
        place = (topic, partition)
        epoch = self._epochs.get(place)
        if epoch is None:
            row = self.connection.execute(
                "SELECT epoch FROM partitions WHERE consumer_group = ? AND topic = ? AND partition = ?",
                (self.group, topic, partition),
            ).fetchone()
            epoch = self._epochs[place] = -1 if row is None or row[0] is None else row[0]
        return epoch

    def _refresh_epochs(self) -> None:
        """Forget what another process may have written meanwhile; where there is none, nothing is read again."""
        (version,) = self.connection.execute("PRAGMA data_version").fetchone()
        if version != self._data_version:
            self._data_version = version
            self._epochs.clear()
        self._epochs_are_fresh = True

    def forget_epochs(self) -> None:
        """New ones were written in this transaction."""
        self._epochs.clear()

    def number(self, topic: str, partition: int, route: str) -> int:
        """A small number for topic, partition and route; written down when it is new."""
        source = (topic, partition, route)
        number = self._numbers.get(source)
        if number is None:
            found = self.connection.execute(
                "SELECT id FROM sources WHERE topic = ? AND partition = ? AND route = ?", source
            ).fetchone()
            number = self._numbers[source] = self._add(source) if found is None else int(found[0])
        return number

    def known_number(self, topic: str, partition: int, route: str) -> int:
        """As `number`, and -1 where it would have to be looked up."""
        return self._numbers.get((topic, partition, route), -1)

    def _add(self, source: tuple[str, int, str]) -> int:
        added = self.connection.execute(
            "INSERT INTO sources (topic, partition, route) VALUES (?, ?, ?)", source
        ).lastrowid
        assert added is not None
        return added

    def topology(self, version: str) -> int:
        """A small number for a topology's version; written down when it is new."""
        number = self._topologies.get(version)
        if number is None:
            self.connection.execute("INSERT OR IGNORE INTO topologies (version) VALUES (?)", (version,))
            (number,) = self.connection.execute(
                "SELECT id FROM topologies WHERE version = ?", (version,)
            ).fetchone()
            self._topologies[version] = number
        return number

    def known_topology(self, version: str) -> int | None:
        """As `topology`, and None where it would have to be looked up."""
        return self._topologies.get(version)

    def origin(self, number: int, offset: int) -> Origin:
        """The record at an offset of a numbered source."""
        return self.holder(number, offset).origin

    def holder(self, number: int, offset: int) -> Holder:
        """The record at an offset of a numbered source, on its route."""
        source = self._sources.get(number)
        if source is None:
            source = self.connection.execute(
                "SELECT topic, partition, route FROM sources WHERE id = ?", (number,)
            ).fetchone()
            self._sources[number] = source
        topic, partition, route = source
        return Holder(Origin(topic, partition, offset), route)


def in_lists(values: Sequence[bytes]) -> Iterator[tuple[str, list[bytes | None]]]:
    """The values as pieces of `IN (…)`, each with its parameters.

    Pieces come in a few sizes only, filled up with NULL which matches nothing: each size is compiled once.
    """
    longest = max(_IN_LISTS)
    for first in range(0, len(values), longest):
        piece: list[bytes | None] = [*values[first : first + longest]]
        for size, listed in _IN_LISTS.items():
            if len(piece) <= size:
                piece += [None] * (size - len(piece))
                yield listed, piece
                break
