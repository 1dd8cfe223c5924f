"""What reads a value."""

from collections.abc import Callable
from typing import Any

Reader = Callable[[bytes, int], tuple[dict[str, Any], int]]
"""Takes a value and where its payload starts; gives the datum and where it ended. Raises anything for bad data."""
