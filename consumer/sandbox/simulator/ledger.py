"""Everything the simulator received, for whoever checks the sender's books against the receiver's."""

from consumer.sandbox.simulator.api import API_NAMES, ApiName
from consumer.sandbox.simulator.book import Book
from consumer.sandbox.simulator.ledger_report import LedgerReport


class Ledger:
    """One book an API, in memory."""

    def __init__(self, *, keep_items: bool, keep: int | None = None) -> None:
        """keep_items: list accepted items; without them only counts and ids are kept, for long runs.

        keep: how many items and ids each API remembers at most; None: all.
        """
        self._keep_items = keep_items
        self._keep = keep
        self._books: dict[ApiName, Book] = {}
        self.unknown_paths = 0
        self.reset()

    def book(self, api: ApiName) -> Book:
        """One API's book; reset() replaces it."""
        return self._books[api]

    def reset(self) -> None:
        """Forget everything."""
        self._books = {api: Book(keep_items=self._keep_items, keep=self._keep) for api in API_NAMES}
        self.unknown_paths = 0

    def report(self) -> LedgerReport:
        """All counts."""
        return LedgerReport(
            **{api: book.report() for api, book in self._books.items()},
            unknown_paths=self.unknown_paths,
        )
