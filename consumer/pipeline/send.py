"""One attempt: the request, and what the answer means."""

import logging
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from consumer.endpoints.endpoint import Address, Addressed, Operation
from consumer.endpoints.outcome import Outcome, Retry, Unclear
from consumer.endpoints.transport import outcome_of
from consumer.http.sender import Answer, Sender
from consumer.http.urls import BaseUrl
from consumer.pipeline.batch import Batch
from consumer.telemetry.metrics import DestinationMetrics
from consumer.telemetry.spans import RequestSpan, Tracing

_LOG = logging.getLogger("consumer.run")


class _Known(NamedTuple):
    """What of an operation's requests stays the same until the credential is rotated."""

    credential: str
    headers: dict[str, str]
    address: Address
    url: str
    address_of: Callable[[bytes], Address] | None
    """Where its items do not all go to one path."""


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
        self._static: dict[Operation, _Known] = {}
        self._warned = False
        self.throttled = 0
        """How many answers asked for less."""
        self.unclear = 0
        """How many attempts ended without a clear answer."""

    def redirect(self, sender: Sender, base_url: BaseUrl, credential: Callable[[], str]) -> Sender:
        """Send elsewhere, or otherwise, from the next request on; gives the sender that those on the wire still use."""
        before, self._sender = self._sender, sender
        self._base_url = base_url
        self._credential = credential
        self._static.clear()
        return before

    async def send(self, batch: Batch) -> Outcome:
        """One POST; never raises for what the network or the receiver does."""
        known = self._known(batch.operation)
        url, address = known.url, known.address
        if known.address_of is not None:
            address = known.address_of(batch.members[0].body)
            url = self._base_url.join(address.path)
            if address.deprecated:
                self._warn(address.deprecated)
        headers = {**known.headers, "Idempotency-Key": batch.idempotency_key}
        span = self._span(batch)
        if span is not None:
            span.inject(headers)
        started_s = perf_counter()
        answer = await self._sender.post(url, headers, batch.body, batch.begin_by_s)
        if isinstance(answer, Answer):
            outcome, status = address.classify(answer), answer.status
        else:
            outcome, status = outcome_of(answer, self._base_url.address), None
        self._metrics.request(type(outcome).__name__.lower(), perf_counter() - started_s)
        if batch.operation.max_items > 1:
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

    def _known(self, operation: Operation) -> _Known:
        credential = self._credential()
        known = self._static.get(operation)
        if known is None or known.credential != credential:
            self._on_credential(credential)
            known = self._static[operation] = _Known(
                credential,
                operation.headers(credential),
                Address(operation.path, operation.classify),
                self._base_url.join(operation.path),
                operation.address if isinstance(operation, Addressed) else None,
            )
        return known

    def _warn(self, deprecated: str) -> None:
        """Once a process, and only where the path is really used."""
        if not self._warned:
            self._warned = True
            _LOG.warning(deprecated, extra={"destination": self._name})
