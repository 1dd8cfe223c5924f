"""An operation that takes several items as one object."""

from abc import ABC, abstractmethod
from collections.abc import Sequence


class Collapsing(ABC):
    """Where its `max_items` is above 1, so many consecutive items of one lane may become one object.

    They stay deliveries of their own: the body is made of those that are left, and when the object is refused each
    of them is sent by itself.
    """

    @abstractmethod
    def joint(self, items: Sequence[bytes]) -> int:
        """How many of these, from the first on, may become one object: at least 1. `items` is not empty."""
