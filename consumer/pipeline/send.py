"""One attempt: the request, and what the answer means."""

from collections.abc import Callable

from consumer.endpoints.endpoint import Operation
from consumer.endpoints.outcome import Outcome
from consumer.endpoints.transport import outcome_of
from consumer.http.sender import Answer, Sender
from consumer.pipeline.batch import Batch


class Post:
    """Posts batches to one destination. Everything that differs between attempts is in the answer."""

    def __init__(self, sender: Sender, base_url: str, credential: Callable[[], str]) -> None:
        self._sender = sender
        self._base_url = base_url
        self._credential = credential
        self._headers: dict[Operation, tuple[str, dict[str, str]]] = {}

    async def send(self, batch: Batch) -> Outcome:
        """One POST; never raises for what the network or the receiver does."""
        operation = batch.operation
        headers = {**self._static_headers(operation), "Idempotency-Key": batch.idempotency_key}
        answer = await self._sender.post(self._base_url + operation.path, headers, batch.body)
        return operation.classify(answer) if isinstance(answer, Answer) else outcome_of(answer)

    def _static_headers(self, operation: Operation) -> dict[str, str]:
        credential = self._credential()
        known = self._headers.get(operation)
        if known is None or known[0] != credential:
            known = self._headers[operation] = (credential, operation.headers(credential))
        return known[1]
