"""One attempt: the request, and what the answer means."""

from collections.abc import Callable
from time import perf_counter

from consumer.endpoints.endpoint import Operation
from consumer.endpoints.outcome import Outcome, Retry, Unclear
from consumer.endpoints.transport import outcome_of
from consumer.http.sender import Answer, Sender
from consumer.http.urls import BaseUrl
from consumer.pipeline.batch import Batch
from consumer.telemetry.metrics import DestinationMetrics
from consumer.telemetry.spans import RequestSpan, Tracing


class Post:
    """Posts batches to one destination. Everything that differs between attempts is in the answer."""

    def __init__(
        self,
        name: str,
        sender: Sender,
        base_url: BaseUrl,
        credential: Callable[[], str],
        metrics: DestinationMetrics,
        tracing: Tracing,
        on_credential: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_credential` hears of each credential before its first use: the log has to mask a rotated one too."""
        self._name = name
        self._sender = sender
        self._base_url = base_url
        self._credential = credential
        self._metrics = metrics
        self._tracing = tracing
        self._on_credential = on_credential
        self._static: dict[Operation, tuple[str, str, dict[str, str]]] = {}
        self.throttled = 0
        """How many answers asked for less."""
        self.unclear = 0
        """How many attempts ended without a clear answer."""

    async def send(self, batch: Batch) -> Outcome:
        """One POST; never raises for what the network or the receiver does."""
        operation = batch.operation
        url, static = self._addressed(operation)
        headers = {**static, "Idempotency-Key": batch.idempotency_key}
        span = self._span(batch)
        if span is not None:
            span.inject(headers)
        started_s = perf_counter()
        answer = await self._sender.post(url, headers, batch.body)
        if isinstance(answer, Answer):
            outcome, status = operation.classify(answer), answer.status
        else:
            outcome, status = outcome_of(answer), None
        self._metrics.request(type(outcome).__name__.lower(), perf_counter() - started_s)
        self._metrics.batch_items(len(batch.members))
        if type(outcome) is Retry:
            self.throttled += 1
        elif type(outcome) is Unclear:
            self.unclear += 1
        if span is not None:
            span.end(status, outcome)
        return outcome

    def _span(self, batch: Batch) -> RequestSpan | None:
        traces = [one.work.trace for one in batch.members if one.work.trace is not None]
        if not traces:
            return None
        address = (self._base_url.host, self._base_url.port)
        parents = [trace.span for trace in traces]
        return self._tracing.request(parents, address, self._name, len(batch.members), batch.attempts)

    def _addressed(self, operation: Operation) -> tuple[str, dict[str, str]]:
        """URL and headers that stay the same until the credential is rotated."""
        credential = self._credential()
        known = self._static.get(operation)
        if known is None or known[0] != credential:
            self._on_credential(credential)
            url = self._base_url.join(operation.path)
            known = self._static[operation] = (credential, url, operation.headers(credential))
        return known[1], known[2]
