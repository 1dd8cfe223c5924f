"""Touchpoint metrics, whole: every page, asked again where an answer did not come."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from consumer.core.retries import Backoff, Random
from consumer.endpoints import touchpoints
from consumer.endpoints.outcome import Halted, Rejected, Retry, Unclear
from consumer.endpoints.touchpoint_answers import TouchpointAnswers
from consumer.endpoints.touchpoint_pages import ExperiencePages, VisitPages
from consumer.endpoints.touchpoints import (
    Experience,
    ExperienceQuery,
    Query,
    Slice,
    Touchpoint,
    TouchpointCounts,
    TouchpointQuery,
    UserQuery,
    UserScans,
    Visit,
    Visits,
)
from consumer.endpoints.transport import outcome_of
from consumer.http.fetcher import Fetcher
from consumer.http.sender import Failure, FailureKind
from consumer.http.urls import BaseUrl

Sleep = Callable[[float], Awaitable[None]]
M = TypeVar("M", Experience, UserScans, Visits)


class MetricsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How is asked.

    `page_size` is the page's default; the page names no maximum, and an API that gives less is followed.
    `attempts` bounds one request, its first time included. `passes` bounds how often the pages of a
    touchpoint are read anew because visits came in meanwhile.
    """

    page_size: int = 50
    attempts: int = 6
    passes: int = 3
    backoff: Backoff = Backoff(base_s=0.5, max_s=20.0)


class Denied(msgspec.Struct, frozen=True):
    """No metrics: `reason` is for people, and holds no id, key or URL."""

    reason: str


class Progress(msgspec.Struct, frozen=True):
    """Where the reading of one question is. `waiting` says why nothing moves, where that is so."""

    requests: int
    taken: int = 0
    total: int | None = None
    waiting: str = ""


class ExperienceMetrics(msgspec.Struct, frozen=True):
    """All touchpoints of an experience; `complete`: as many as the API says there are."""

    total: int
    touchpoints: list[TouchpointCounts]
    complete: bool


class TouchpointVisits(msgspec.Struct, frozen=True):
    """All visits of a touchpoint. Where they are not `complete`, visits came in during each pass: some may be
    missing, and none is made up.
    """

    touchpoint: Touchpoint
    total: int
    visits: list[Visit]
    complete: bool


class TouchpointMetrics:
    """Asks one account, a request at a time."""

    def __init__(
        self,
        fetcher: Fetcher,
        base_url: BaseUrl,
        admin_key: Callable[[], str],
        answers: TouchpointAnswers,
        random: Random,
        policy: MetricsPolicy | None = None,
        *,
        sleep: Sleep = asyncio.sleep,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """`admin_key` is read for each request, so that a rotated one is picked up."""
        self._fetcher = fetcher
        self._url = base_url.join(touchpoints.PATH)
        self._address = base_url.address
        self._admin_key = admin_key
        self._answers = answers
        self._random = random
        self._policy = policy or MetricsPolicy()
        self._sleep = sleep
        self._on_progress = on_progress
        self._progress = Progress(requests=0)

    async def experience(self, query: ExperienceQuery) -> ExperienceMetrics | Denied:
        """The touchpoints of an experience."""
        pages = ExperiencePages(self._policy.page_size)
        while (part := pages.following) is not None:
            page = await self._ask(query, part, Experience)
            if isinstance(page, Denied):
                return page
            pages.take(page)
            self._tell(taken=pages.taken, total=pages.total)
        return ExperienceMetrics(pages.total or 0, pages.touchpoints(), pages.complete)

    async def user(self, query: UserQuery) -> UserScans | Denied:
        """What a user scanned, and when."""
        return await self._ask(query, None, UserScans)

    async def visits(self, query: TouchpointQuery) -> TouchpointVisits | Denied:
        """The visits of a touchpoint; reads them anew while others come in, a bounded number of times."""
        before: VisitPages | None = None
        for _ in range(self._policy.passes):
            pages = VisitPages(self._policy.page_size)
            while (part := pages.following) is not None:
                page = await self._ask(query, part, Visits)
                if isinstance(page, Denied):
                    return page
                pages.take(page)
                self._tell(taken=pages.taken, total=pages.total)
            if complete := pages.complete(before):
                break
            before = pages
        assert pages.touchpoint is not None, "a pass has a page at least"
        visits = pages.all() if complete else pages.certain()
        return TouchpointVisits(pages.touchpoint, pages.total or 0, visits, complete)

    async def _ask(self, query: Query, part: Slice | None, kind: type[M]) -> M | Denied:
        """One answer, of the query's own kind. Asking changes nothing there, so it is asked again wherever
        another answer may come: also after a time-out, which a delivery would have to call unclear.
        """
        url = f"{self._url}?{urlencode(touchpoints.parameters(query, part), quote_via=quote)}"
        attempts = self._policy.attempts
        for attempt in range(1, attempts + 1):
            self._tell(requests=self._progress.requests + 1, waiting="")
            got = await self._fetcher.get(url, touchpoints.headers(self._admin_key()))
            found = (
                _without_answer(got, self._address)
                if isinstance(got, Failure)
                else self._answers.read(query, part, got)
            )
            match found:
                case Retry(reason, after_s) | Unclear(reason, after_s):
                    if attempt == attempts:
                        return Denied(f"{reason}, {attempts} times in a row")
                    wait_s = max(after_s or 0.0, self._policy.backoff.delay_s(attempt, self._random))
                    self._tell(waiting=f"{reason}; asking again in {wait_s:.1f} s")
                    await self._sleep(wait_s)
                case Halted(reason) | Rejected(reason):
                    return Denied(reason)
                case _:
                    assert isinstance(found, kind), "an answer is of its query's kind"
                    return found
        raise AssertionError("the last attempt returns")

    def _tell(self, **changes: Any) -> None:
        self._progress = msgspec.structs.replace(self._progress, **changes)
        self._on_progress(self._progress)


def _without_answer(failure: Failure, address: str) -> Retry | Halted:
    """A certificate does not get better by asking again; everything else may."""
    reason = outcome_of(failure, address)
    assert isinstance(reason, Halted | Unclear), "no answer is either"
    text = f"{reason.reason} ({failure.reason})"
    return Halted(text) if failure.kind is FailureKind.TLS else Retry(text)
