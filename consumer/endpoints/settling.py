"""An operation that has to be left some room."""


class Settling:
    """An operation that the receiver needs a moment for: its lane rests so long before it, and so long after it.

    A base class and no protocol: the pipeline asks this of every request, and so it costs next to nothing.
    """

    settle_delay_s: float
    """0: no rest."""
