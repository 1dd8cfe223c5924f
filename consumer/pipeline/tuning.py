"""What a topology says of a destination, as the policies of the parts that serve it; also of those that run."""

from consumer.core.gate import GatePolicy
from consumer.core.retries import Backoff
from consumer.pipeline.sink import Sink
from consumer.pipeline.sink_policy import SinkPolicy
from consumer.pipeline.verdicts import RetryPolicy, Verdicts
from consumer.topology.plan import Destination


def gate_policy(destination: Destination) -> GatePolicy:
    """How many requests may be sent, how fast, and when to stop."""
    return GatePolicy(
        max_in_flight=destination.concurrency,
        adaptive=destination.adaptive,
        rate_per_s=destination.rate_per_s,
        breaker_after=destination.breaker_after,
        backoff=_backoff(destination),
    )


def sink_policy(destination: Destination) -> SinkPolicy:
    """What goes into one request."""
    batch = destination.batch
    return SinkPolicy(max_items=batch.max_items, max_bytes=batch.max_bytes, linger_s=batch.linger_s)


def retry_policy(destination: Destination) -> RetryPolicy:
    """When to try again, and when to give up."""
    retry = destination.retry
    return RetryPolicy(
        backoff=_backoff(destination),
        unclear_votes=retry.unclear_votes,
        unknown_user_attempts=retry.unknown_user_attempts,
        unknown_user_delay_s=retry.unknown_user_delay_s,
    )


def retune(sink: Sink, verdicts: Verdicts, destination: Destination) -> None:
    """Let a destination that runs go on by other settings, from the next request on."""
    sink.gate.retune(gate_policy(destination))
    sink.policy = sink_policy(destination)
    verdicts.retune(retry_policy(destination), destination.max_refusal_ratio)
    sink.paused = destination.paused
    sink.wake()


def _backoff(destination: Destination) -> Backoff:
    return Backoff(base_s=destination.retry.base_delay_s, max_s=destination.retry.max_delay_s)
