"""`run`: the consumer."""

import logging
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click
import orjson
import uvloop

from consumer.app import AppConfig
from consumer.cli.books import print_books
from consumer.cli.secrets_of import secrets_of
from consumer.cli.sections import SectionedCommand
from consumer.cli.service import serve
from consumer.cli.settings_options import load_settings, settings_options
from consumer.core.pressure import PressurePolicy
from consumer.errors import ConfigurationError, ConsumerError, FaultError, UsageError
from consumer.kafka.config import KafkaPolicy
from consumer.ledger.sharing import is_shared
from consumer.pipeline.watchdogs import WatchdogPolicy
from consumer.resources import schemas_dir, topology_dir
from consumer.settings import Settings
from consumer.telemetry.logs import configure_logging
from consumer.telemetry.redaction import Redactor
from consumer.topology.isolate import group_of
from consumer.topology.load import load_plan

_LOG = logging.getLogger("consumer.run")


@click.command(
    cls=SectionedCommand,
    short_help="Consume and deliver until a signal; commit what is acknowledged.",
    epilog="""\b
Examples:
  export KAFKA_BOOTSTRAP_SERVERS=localhost:9092
  export SCHEMA_REGISTRY_URL=http://localhost:8081
  export DISTINCT_API_KEY_FILE=/run/secrets/distinct
  export CLIENT_API_BASE_URL=https://your-instance.example.com
  export CLIENT_API_KEY_FILE=/run/secrets/client
  export EVENT_API_KEY_FILE=/run/secrets/event
  distinct-consumer run
  distinct-consumer run --until-end --timeout 600 --output json
  distinct-consumer run --destination client
""",
)
@click.option(
    "--until-end", is_flag=True, help="Stop after the end offsets seen at start, drained and committed."
)
@click.option(
    "--timeout",
    "timeout_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="With --until-end: give up after so many seconds, exit 3.",
)
@click.option(
    "--destination",
    metavar="NAME",
    help="Serve this destination alone, in a group of its own: the group's name, a dot, and NAME.",
)
@click.option(
    "--accept-ledger",
    is_flag=True,
    help="Go on with a ledger that is behind the broker: duplicates can be sent.",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the books are printed at the end.",
)
@settings_options()
def run(
    config: Path | None,
    destination: str | None,
    accept_ledger: bool,
    until_end: bool,
    timeout_s: float | None,
    output: str,
    **flags: Any,
) -> None:
    """Consume, deliver, and commit what was acknowledged.

    Until a signal, or the end with --until-end. SIGTERM and SIGINT drain: what is on the wire is awaited,
    confirmed and committed; then the books are printed. Exits 3 if something is left unsettled. SIGHUP, or a change of
    the topology's files, loads the topology again: a broken one is refused, and the old one goes on.
    """
    if timeout_s is not None and not until_end:
        raise UsageError("--timeout bounds a run with --until-end: give both, or neither")
    settings = load_settings(config, flags)
    if destination is not None:
        group = group_of(settings.consumer_group, destination)
        settings = settings.model_copy(update={"consumer_group": group})
    if missing := settings.missing():
        raise ConfigurationError(missing)
    folders = [settings.topology or topology_dir(), settings.schemas or schemas_dir()]
    load = partial(
        load_plan,
        folders[0],
        settings.environment,
        schemas=folders[1],
        allow_plain_http=settings.allow_plain_http,
        only=destination,
    )
    plan = load()
    keys = [one.credential.read() for one in plan.destinations.values()]
    redactor = Redactor([*keys, *secrets_of(settings)])
    configure_logging(redactor, level=getattr(logging, settings.log_level.upper()))
    app_config = _app_config(settings, accept_ledger=accept_ledger, until_end=until_end, timeout_s=timeout_s)
    try:
        ended = uvloop.run(serve(settings, load, folders, plan, app_config, redactor))
        out = ended.books.as_json(ended.seconds)
        if output == "json":
            sys.stdout.buffer.write(orjson.dumps(out, option=orjson.OPT_INDENT_2) + b"\n")
        else:
            print_books(out)
        if ended.stopped is not None:
            raise ended.stopped
        if not out["balanced"]:
            raise FaultError(
                "the books do not balance: a record was lost or counted twice; please report this"
            )
    except UsageError:
        raise  # A mistake in the configuration is read by whoever made it.
    except ConsumerError as error:
        if sys.stderr.isatty():
            raise
        # Whoever reads these logs by machine gets the reason of the end as a line like all others.
        _LOG.error(str(error), extra={"exit_code": error.exit_code})
        sys.exit(error.exit_code)


def _app_config(
    settings: Settings, *, accept_ledger: bool, until_end: bool, timeout_s: float | None
) -> AppConfig:
    return AppConfig(
        bootstrap_servers=settings.bootstrap_servers or "",
        kafka=KafkaPolicy(
            group=settings.consumer_group,
            instance_id=settings.instance_id,
            protocol=settings.group_protocol,
            drain_timeout_s=settings.drain_timeout_ms / 1000,
        ),
        kafka_properties=settings.kafka_options,
        pressure=PressurePolicy(
            max_pending=settings.max_pending, max_pending_bytes=settings.max_pending_bytes
        ),
        commit_interval_s=settings.commit_interval_ms / 1000,
        http_client=settings.http_client,
        until_end=until_end,
        timeout_s=timeout_s,
        watchdogs=WatchdogPolicy(
            stuck_after_s=settings.stuck_after_ms / 1000,
            stalled_after_s=settings.stalled_after_ms / 1000,
            commit_interval_s=settings.commit_interval_ms / 1000,
        ),
        accept_ledger=accept_ledger,
        ledger_is_shared=is_shared(settings.ledger_url),
    )
