"""All peers, in the order of their tables."""

from bench.peers.parallel_consumer import ParallelConsumer
from bench.peers.peer import Peer
from bench.peers.python_peers import EveryonesLoop, Quix
from bench.peers.redpanda import RedpandaConnect


def peers() -> list[Peer]:
    """New ones each time: none is built yet."""
    return [
        RedpandaConnect(),
        RedpandaConnect(unordered=True),
        ParallelConsumer(),
        Quix(),
        EveryonesLoop(),
    ]
