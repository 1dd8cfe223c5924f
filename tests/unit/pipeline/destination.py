"""One destination of a process: the real sink, and the way to the scripted receiver."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consumer.core.gate import Gate, GatePolicy
from consumer.core.refusals import IN_A_ROW, RefusalGuard
from consumer.core.retries import Backoff
from consumer.endpoints.endpoint import Operation
from consumer.endpoints.outcome import Outcome, Unclear
from consumer.http.urls import BaseUrl
from consumer.pipeline.batch import Batch
from consumer.pipeline.send import Post
from consumer.pipeline.shipping import shipping
from consumer.pipeline.sink import Sink
from consumer.pipeline.sink_policy import SinkPolicy
from consumer.pipeline.verdicts import RetryPolicy, Verdicts
from consumer.pipeline.work import Delivery, Phase
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.spans import Tracing
from tests.unit.pipeline.receiver import ScriptedSender

if TYPE_CHECKING:
    from tests.unit.pipeline.process import Process


@dataclass
class DestinationSpec:
    """What a test may set of a destination."""

    operation: Callable[[], Operation]
    gate: GatePolicy = GatePolicy(max_in_flight=4, breaker_after=5, backoff=Backoff(base_s=0.2, max_s=5.0))
    sink: SinkPolicy = SinkPolicy(max_items=10, linger_s=0.01)
    retry: RetryPolicy = RetryPolicy(
        backoff=Backoff(base_s=0.2, max_s=5.0), unknown_user_attempts=3, unknown_user_delay_s=5.0
    )
    ratio: float = 0.5


def open_sink(process: "Process", api: str, changes: Mapping[str, Any]) -> tuple[Sink, Post]:
    """The sink of one destination, and its way to the scripted receiver."""
    spec = DestinationSpec(lambda: process.operations[api], **changes)
    gate = Gate(spec.gate, process.stage.random.random)
    sink = Sink(
        api,
        spec.sink,
        gate,
        process.ledger,
        process.patient,
        process.settlement,
        process.books.destinations[api],
        process.clock,
        process.background,
        lambda assignment: process.coordinator.fenced(assignment),
    )
    verdicts = Verdicts(
        sink,
        spec.retry,
        RefusalGuard(spec.ratio, in_a_row=IN_A_ROW),
        RefusalGuard(spec.ratio),
        process.background,
        process.patient,
        process.graveyard,
        process.settlement,
        process.clock,
        process.stage.random.random,
    )
    post = Post(
        api,
        ScriptedSender(process.stage.receiver, api, process.name),
        BaseUrl("https", f"{api}.example", 443, ""),
        lambda: "a-key",
        Metrics().destination(api),
        Tracing(None, "group"),
    )

    send, really_ship = post.send, shipping(sink, post, verdicts)
    outcomes: dict[Batch, Outcome] = {}

    async def watched_send(batch: Batch) -> Outcome:
        outcomes[batch] = await send(batch)
        return outcomes[batch]

    async def ship(batch: Batch) -> bool:
        process.invariants.order(api, batch)
        members, clear = batch.members, False
        try:
            to_confirm = await really_ship(batch)
            clear = not isinstance(outcomes[batch], Unclear)
            return to_confirm
        finally:
            outcomes.pop(batch, None)
            if not clear:
                process.stage.dubious[api] += len(members)

    confirmed, unconfirmed = sink.confirmed, sink.unconfirmed

    def watched_confirmed(batches: list[Batch]) -> None:
        for batch in batches:
            if any(one.work.assignment.phase is Phase.ENDED for one in batch.members):
                process.stage.dubious[api] += len(batch.members)
        confirmed(batches)

    def watched_unconfirmed(batches: list[Batch]) -> None:
        process.stage.dubious[api] += sum(len(batch.members) for batch in batches)
        unconfirmed(batches)

    sink.confirmed = watched_confirmed  # type: ignore[method-assign]
    sink.unconfirmed = watched_unconfirmed  # type: ignore[method-assign]
    post.send = watched_send  # type: ignore[method-assign]
    offer = sink.offer

    def watched_offer(lane_key: Hashable, delivery: Delivery) -> None:
        process.invariants.lanes[api, lane_key].append(delivery)
        offer(lane_key, delivery)

    sink.offer = watched_offer  # type: ignore[method-assign]
    sink.ship = ship
    sink.refuse = verdicts.refuse
    return sink, post
