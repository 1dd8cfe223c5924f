"""How long refused credentials may be refused before they count as wrong."""


class RotationPatience:
    """A password is exchanged at the brokers and in our file, one after the other: in between, connections that have
    to be made anew are refused, and no restart would help. Once it lasts longer, a person has to act.
    """

    def __init__(self, patience_s: float = 60.0, quiet_s: float = 30.0) -> None:
        """`quiet_s`: attempts come oftener than this while they fail, so a longer silence was a success."""
        self._patience_s = patience_s
        self._quiet_s = quiet_s
        self._first_s: float | None = None
        self._last_s = 0.0

    def is_over(self, now_s: float) -> bool:
        """Note a refusal; whether it has lasted too long."""
        if self._first_s is None or now_s - self._last_s > self._quiet_s:
            self._first_s = now_s
        self._last_s = now_s
        return now_s - self._first_s > self._patience_s
