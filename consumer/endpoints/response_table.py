"""What an HTTP answer means: an API's documented rows first, then what a status means anywhere.

Reasons are constants, safe as metric labels; an answer's own text is used only to find a row, never repeated,
since a body that no page documents may echo what was sent.
"""

from collections.abc import Callable, Mapping

import msgspec

from consumer.clock import Clock
from consumer.endpoints.outcome import Halted, Outcome, Rejected, Retry, Unclear
from consumer.endpoints.retry_after import retry_after_s
from consumer.http.sender import Answer

UNDOCUMENTED_SUCCESS = Halted("undocumented success")
REDIRECT = Halted("redirect")

ANYWHERE: Mapping[int, Outcome] = {
    401: Halted("401 not authorized"),
    402: Halted("402 payment required"),
    403: Halted("403 forbidden"),
    404: Halted("404 unknown path"),
    405: Halted("405 method not allowed"),
    406: Halted("406 not acceptable"),
    407: Halted("407 proxy authentication required"),
    408: Retry("408 request timeout"),
    # The draft of Idempotency-Key: a request with this key is still at work there.
    409: Retry("409 in flight"),
    410: Halted("410 gone"),
    411: Halted("411 length required"),
    # Of an array, the pipeline halves it; of one object, no later attempt could be smaller.
    413: Rejected("413 content too large", 413),
    414: Halted("414 address too long"),
    415: Halted("415 unsupported media type"),
    421: Halted("421 misdirected request"),
    425: Retry("425 too early"),
    426: Halted("426 upgrade required"),
    429: Retry("429 too many requests"),
    431: Halted("431 headers too large"),
    451: Halted("451 unavailable for legal reasons"),
    # Not worth a retry, and not the record's fault either: this server cannot do what we ask of it.
    501: Halted("501 not implemented"),
    505: Halted("505 HTTP version not supported"),
}
"""Statuses that no page of the vendor mentions. Every record would get the same answer to 401 to 407, 410 to
431 (but 413 and 425) and 451, so they halt and lose nothing; what is not listed is unclear."""


class ResponseTable:
    """One API's table. `by_text` has its documented refusals by status and text, `by_status` what differs
    from `ANYWHERE`; `text_of` finds the text in a body, None where there is none, and must not raise."""

    def __init__(
        self,
        by_text: Mapping[tuple[int, str], Outcome],
        by_status: Mapping[int, Outcome],
        text_of: Callable[[bytes], str | None],
        clock: Clock,
        max_retry_after_s: float,
    ) -> None:
        self._by_text = by_text
        self._by_status = {**ANYWHERE, **by_status}
        self._speaking = frozenset(status for status, _ in by_text)
        self._text_of = text_of
        self._clock = clock
        self._max_retry_after_s = max_retry_after_s

    def outcome(self, answer: Answer) -> Outcome:
        """Of an answer that is not the documented success. Never raises, whatever the body holds."""
        found = self._row(answer)
        if isinstance(found, Retry | Unclear):
            wait_s = retry_after_s(
                answer.headers.get("retry-after"), self._clock.wall_s(), self._max_retry_after_s
            )
            if wait_s is not None:
                return msgspec.structs.replace(found, after_s=wait_s)
        return found

    def _row(self, answer: Answer) -> Outcome:
        status = answer.status
        if status in self._speaking:
            text = self._text_of(answer.body)
            if text is not None and (found := self._by_text.get((status, text))) is not None:
                return found
        if (found := self._by_status.get(status)) is not None:
            return found
        if 200 <= status < 300:
            return UNDOCUMENTED_SUCCESS
        if 300 <= status < 400:
            return REDIRECT
        return Unclear(f"{status} server error" if 500 <= status < 600 else f"undocumented {status}")
