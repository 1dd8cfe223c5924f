"""One request: sent, and what follows from its answer."""

from collections.abc import Callable, Coroutine
from typing import Any

from consumer.endpoints.outcome import Delivered
from consumer.pipeline.batch import Batch
from consumer.pipeline.send import Post
from consumer.pipeline.sink import Sink
from consumer.pipeline.verdicts import Verdicts

Ship = Callable[[Batch], Coroutine[Any, Any, bool]]


def shipping(sink: Sink, post: Post, verdicts: Verdicts) -> Ship:
    """What `Sink.ship` is: called with a reserved batch that the gate has let pass."""

    async def ship(batch: Batch) -> bool:
        delivered = False
        try:
            outcome = await post.send(batch)
            delivered = type(outcome) is Delivered
        finally:
            # The permit of what was acknowledged is kept until the confirmation is durable: so what a kill can send
            # twice is bounded by the concurrency, not by how far the ledger is behind.
            if not delivered:
                sink.gate.end()
        if delivered:
            verdicts.delivered(batch)
        else:
            await verdicts.apply(batch, outcome)
        return delivered

    return ship
