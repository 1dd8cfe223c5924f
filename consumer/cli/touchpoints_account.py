"""The account at Distinct whose metrics the commands ask for."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import click

from consumer.clock import SystemClock
from consumer.endpoints.touchpoint_answers import TouchpointAnswers
from consumer.errors import ConfigurationError
from consumer.http.httpx_sender import HttpxSender
from consumer.http.sender import SenderPolicy
from consumer.http.urls import BaseUrl, UrlProblem, parse_base_url
from consumer.operations.admin_key import AdminKey
from consumer.operations.touchpoint_metrics import MetricsPolicy, Progress, TouchpointMetrics
from consumer.settings import Settings

_BASE_URL = "DISTINCT_BASE_URL"
_DEFAULT_BASE_URL = "https://api.distinct.so"
_MAX_BODY_BYTES = 32 * 1024 * 1024
"""A user's whole history, or an experience's touchpoints, can come as one answer."""

page_size_option = click.option(
    "--page-size",
    metavar="N",
    type=click.IntRange(min=1),
    default=MetricsPolicy().page_size,
    show_default=True,
    help="How many items are asked for at once; the API may give fewer.",
)


def require_ids(_: click.Context, param: click.Parameter, value: Any) -> Any:
    """A callback of arguments and options that take ids of the vendor's, one or several."""
    for text in value if isinstance(value, tuple) else (value,):
        # Bytes of the command line that are no UTF-8 count as unprintable too, and could not be sent.
        if text is not None and not (text and text.isprintable()):
            raise click.BadParameter("must be a text of printable characters, and not empty", param=param)
    return value


class Account:
    """Where to ask, and with which key. Raises ConfigurationError with everything that is wrong."""

    def __init__(self, settings: Settings) -> None:
        findings: list[str] = []
        text = settings.environment.get(_BASE_URL) or _DEFAULT_BASE_URL
        base_url = parse_base_url(text, allow_plain_http=settings.allow_plain_http)
        if isinstance(base_url, UrlProblem):
            findings.append(f"{_BASE_URL} {base_url.text}")
        try:
            self.key = AdminKey(settings.environment)
        except ConfigurationError as error:
            findings += error.findings
        if findings:
            raise ConfigurationError(findings)
        assert isinstance(base_url, BaseUrl), "else there is a finding"
        self._base_url = base_url

    @asynccontextmanager
    async def metrics(self, page_size: int, say: Callable[[str], None]) -> AsyncIterator[TouchpointMetrics]:
        """What asks, within one event loop. `say` is told what goes on."""
        sender = HttpxSender(SenderPolicy(max_connections=1, max_body_bytes=_MAX_BODY_BYTES))
        try:
            yield TouchpointMetrics(
                sender,
                self._base_url,
                self.key.read,
                TouchpointAnswers(SystemClock()),
                random.random,
                MetricsPolicy(page_size=page_size),
                on_progress=lambda progress: say(_described(progress)),
            )
        finally:
            await sender.close()


def _described(progress: Progress) -> str:
    items = "" if progress.total is None else f"{progress.taken} of {progress.total} read, "
    waiting = f"; {progress.waiting}" if progress.waiting else ""
    return f"{items}request {progress.requests}{waiting}"
