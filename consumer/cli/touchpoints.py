"""`touchpoints`: scanner metrics of Distinct's touchpoints, all pages."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from consumer.cli.settings_options import load_settings, settings_options
from consumer.cli.slow_progress import SlowProgress
from consumer.cli.touchpoints_account import Account, page_size_option, require_ids
from consumer.cli.touchpoints_output import Sheet, output_option, print_sheet
from consumer.cli.touchpoints_stream import stream
from consumer.endpoints.touchpoints import ExperienceQuery, TouchpointQuery, UserQuery, VisitsType
from consumer.errors import FaultError
from consumer.operations.touchpoint_metrics import Denied, TouchpointMetrics
from consumer.telemetry.logs import configure_logging
from consumer.telemetry.redaction import Redactor

T = TypeVar("T")
_account_options = settings_options("allow_plain_http", sections=False)


@click.group(
    short_help="Who scanned what: metrics of touchpoints, and new visits to a topic.",
    epilog="""\b
Examples:
  export DISTINCT_ADMIN_API_KEY_FILE=/run/secrets/distinct-admin
  distinct-consumer touchpoints experience 47Gop5
  distinct-consumer touchpoints stream --help
""",
)
def touchpoints() -> None:
    """Scanner metrics of touchpoints at Distinct: as a table, as JSON or CSV, or as visits on a topic.

    They take the admin key, DISTINCT_ADMIN_API_KEY (or DISTINCT_ADMIN_API_KEY_FILE), never the shared one.
    DISTINCT_BASE_URL is asked, https://api.distinct.so by default.
    """


@touchpoints.command(
    short_help="The touchpoints of an experience, with their counts.",
    epilog="""\b
Examples:
  distinct-consumer touchpoints experience 47Gop5
  distinct-consumer touchpoints experience 47Gop5 --output csv > counts.csv
""",
)
@click.argument("experience_id", metavar="EXPERIENCE", callback=require_ids)
@output_option
@page_size_option
@_account_options
def experience(experience_id: str, output: str, page_size: int, config: Path | None, **flags: Any) -> None:
    """The touchpoints of an experience, each with its total and unique visits."""
    found = _ask(config, flags, page_size, lambda metrics: metrics.experience(ExperienceQuery(experience_id)))
    rows = [(one.id, one.name, one.value, one.total_visits, one.unique_visits) for one in found.touchpoints]
    columns = ("id", "name", "value", "total_visits", "unique_visits")
    document = {
        "experience_id": experience_id,
        "total_touchpoints": found.total,
        "complete": found.complete,
        "touchpoints": [dict(zip(columns, row, strict=True)) for row in rows],
    }
    print_sheet(Sheet(f"{len(rows)} touchpoints of {experience_id}", document, columns, rows), output)
    if not found.complete:
        click.echo(
            f"note: the API counts {found.total} touchpoints and gave {len(rows)}: they were changing, or it "
            "does not give them all",
            err=True,
        )


@touchpoints.command(
    short_help="What a user scanned in an experience, and when.",
    epilog="""\b
Examples:
  distinct-consumer touchpoints user 47Gop5 user-1
  distinct-consumer touchpoints user 47Gop5 user-1 --output json
""",
)
@click.argument("experience_id", metavar="EXPERIENCE", callback=require_ids)
@click.argument("user_id", metavar="USER", callback=require_ids)
@output_option
@_account_options
def user(experience_id: str, user_id: str, output: str, config: Path | None, **flags: Any) -> None:
    """Every scan of one user in an experience: a row each."""
    found = _ask(config, flags, None, lambda metrics: metrics.user(UserQuery(experience_id, user_id)))
    document = {
        "experience_id": experience_id,
        "user_id": user_id,
        "total_touchpoints": found.total_touchpoints,
        "touchpoints": [
            {
                "id": one.id,
                "name": one.name,
                "value": one.value,
                "total_visits": one.total_visits,
                "timestamps_utc": one.timestamps,
            }
            for one in found.touchpoints
        ],
    }
    columns = ("touchpoint_id", "name", "value", "timestamp_utc")
    rows = [(one.id, one.name, one.value, time) for one in found.touchpoints for time in one.timestamps]
    print_sheet(Sheet(f"{len(rows)} scans of {user_id} in {experience_id}", document, columns, rows), output)


@touchpoints.command(
    short_help="The visits of a touchpoint, or the first one of each user.",
    epilog="""\b
Examples:
  distinct-consumer touchpoints touchpoint tp-1
  distinct-consumer touchpoints touchpoint tp-1 --visits UNIQUE --output csv
""",
)
@click.argument("touchpoint_id", metavar="TOUCHPOINT", callback=require_ids)
@click.option(
    "--visits",
    type=click.Choice([one.value for one in VisitsType], case_sensitive=False),
    default=VisitsType.TOTAL.value,
    show_default=True,
    help="Every scan, or the first one of each user.",
)
@click.option(
    "--experience",
    "experience_id",
    metavar="ID",
    callback=require_ids,
    help="Only as a touchpoint of this experience.",
)
@output_option
@page_size_option
@_account_options
def touchpoint(
    touchpoint_id: str,
    visits: str,
    experience_id: str | None,
    output: str,
    page_size: int,
    config: Path | None,
    **flags: Any,
) -> None:
    """The visits of one touchpoint, a row each."""
    kind = VisitsType(visits)
    query = TouchpointQuery(touchpoint_id, kind, experience_id)
    found = _ask(config, flags, page_size, lambda metrics: metrics.visits(query))
    columns = ("user_id", "timestamp_utc")
    rows = [(one.user_id, one.timestamp) for one in found.visits]
    document = {
        "id": found.touchpoint.id,
        "name": found.touchpoint.name,
        "value": found.touchpoint.value,
        "visits_type": kind.value,
        "total_visits" if kind is VisitsType.TOTAL else "unique_visits": found.total,
        "complete": found.complete,
        "visits": [dict(zip(columns, row, strict=True)) for row in rows],
    }
    word = "visits" if kind is VisitsType.TOTAL else "first visits"
    title = f"{len(rows)} {word} of {found.touchpoint.name} ({found.touchpoint.id})"
    print_sheet(Sheet(title, document, columns, rows), output)
    if not found.complete:
        click.echo("note: visits came in while they were read, some may be missing: ask again", err=True)


touchpoints.add_command(stream)


def _ask(
    config: Path | None,
    flags: dict[str, Any],
    page_size: int | None,
    question: Callable[[TouchpointMetrics], Awaitable[T | Denied]],
) -> T:
    """The answer. Raises FaultError where it is denied."""
    account = Account(load_settings(config, flags))
    configure_logging(Redactor([account.key.read()]), level=logging.WARNING)

    async def ask() -> T | Denied:
        async with SlowProgress() as progress, account.metrics(page_size or 1, progress.say) as metrics:
            return await question(metrics)

    found = asyncio.run(ask())
    if isinstance(found, Denied):
        raise FaultError(f"Distinct gave no metrics: {found.reason}")
    return found
