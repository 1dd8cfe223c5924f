"""Where the measured deliver to: a small Go program, built once; where Go is missing, the slower simulator.

The receiver says whether every record arrived, and in each user's order: what arrives incomplete is no number.
"""

from bench.receiver.face import Receiver, Tally
from bench.receiver.find import find_receiver

__all__ = ["Receiver", "Tally", "find_receiver"]
