"""Label values from outside, kept few."""


class BoundedLabels:
    """Lets through the first `limit` values that it is shown, and calls all later ones "other".

    A reason is text from a response table: should one ever carry something variable, the metrics must not
    grow by a series for each. Once let through, always let through: a counter that moved to "other" would
    seem to fall.
    """

    OTHER = "other"

    def __init__(self, limit: int = 40, max_length: int = 80) -> None:
        self._limit = limit
        self._max_length = max_length
        self._known: set[str] = set()

    def of(self, value: str) -> str:
        """The label for this value."""
        value = value[: self._max_length]
        if value not in self._known:
            if len(self._known) >= self._limit:
                return self.OTHER
            self._known.add(value)
        return value
