"""`touchpoints stream`: new visits of touchpoints to a topic, each once."""

import asyncio
import contextlib
import json
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import orjson

from consumer.avro.decoder import Decoder
from consumer.avro.encoder import Encoder
from consumer.avro.policy import AvroPolicy
from consumer.avro.registry import Registry
from consumer.cli.secrets_of import secrets_of
from consumer.cli.sections import SectionedCommand
from consumer.cli.service import registry_of
from consumer.cli.settings_options import load_settings, settings_options
from consumer.cli.slow_progress import SlowProgress
from consumer.cli.touchpoints_account import Account, page_size_option, require_ids
from consumer.clock import SystemClock
from consumer.errors import ConfigurationError, FaultError, RefusedError, UsageError
from consumer.kafka.log_topic import LogTopic
from consumer.kafka.transactional_log import TransactionalLog
from consumer.operations.touchpoint_stream import Scope, TouchpointStream
from consumer.operations.visit_topic import VisitTopic
from consumer.resources import schemas_dir
from consumer.settings import Settings
from consumer.settings.units import parse_duration
from consumer.telemetry.logs import configure_logging
from consumer.telemetry.redaction import Redactor

_LOG = logging.getLogger("consumer.touchpoints")
_PROGRESS_EVERY_S = 10.0


def _seconds(_: click.Context, param: click.Parameter, value: str) -> float:
    try:
        seconds = parse_duration(value) / 1000
    except ValueError as error:
        raise click.BadParameter(str(error), param=param) from None
    if seconds < 1:
        raise click.BadParameter("must be a second at least: the API is asked each time", param=param)
    return seconds


@click.command(
    cls=SectionedCommand,
    short_help="Write each new visit once to a topic.",
    epilog="""\b
Examples:
  distinct-consumer touchpoints stream --topic visits --experience 47Gop5
  distinct-consumer touchpoints stream --topic visits --touchpoint tp-1 --once
""",
)
@click.option("--topic", metavar="NAME", required=True, help="The topic of the visits, and of nothing else.")
@click.option(
    "--experience",
    "experiences",
    metavar="ID",
    callback=require_ids,
    multiple=True,
    help="All touchpoints of it; may be given several times.",
)
@click.option(
    "--touchpoint",
    "touchpoints",
    metavar="ID",
    callback=require_ids,
    multiple=True,
    help="This touchpoint; may be given several times.",
)
@click.option("--once", is_flag=True, help="One round, then the end.")
@click.option(
    "--interval",
    "interval_s",
    metavar="DURATION",
    callback=_seconds,
    default="1m",
    show_default=True,
    help="From the end of a round to the next, such as 30s or 5m.",
)
@click.option(
    "--partitions",
    metavar="N",
    type=click.IntRange(min=1),
    help="Create the topic with so many partitions, kept for ever, if it is missing.",
)
@click.option(
    "--accept-retention",
    is_flag=True,
    help="Go on with a topic that forgets: visits that it has forgotten are written again.",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the counts are printed at the end.",
)
@page_size_option
@settings_options(
    "schemas",
    "kafka_bootstrap_servers",
    "kafka_properties",
    "schema_registry_url",
    "schema_registry_ca_file",
    "schema_registry_certificate_file",
    "schema_registry_key_file",
    "allow_plain_http",
    "log_level",
)
def stream(
    config: Path | None,
    topic: str,
    experiences: tuple[str, ...],
    touchpoints: tuple[str, ...],
    once: bool,
    interval_s: float,
    partitions: int | None,
    accept_retention: bool,
    output: str,
    page_size: int,
    **flags: Any,
) -> None:
    """Write each new visit once to an Avro topic, keyed by the user, until a signal or --once.

    What the topic holds is read back first: that is the position, so a kill at any point neither loses nor
    repeats a visit. Consumers have to read committed records only (isolation.level=read_committed).
    """
    if not experiences and not touchpoints:
        raise UsageError("nothing to read: give --experience or --touchpoint")
    settings = load_settings(config, flags)
    if missing := settings.missing():
        raise ConfigurationError(missing)
    if not str(settings.schema_registry_url).startswith(("http://", "https://")):
        raise UsageError(
            "--schema-registry-url must be an http or https URL: a consumer has to find the schema there"
        )
    account = Account(settings)
    secrets = [account.key.read(), *secrets_of(settings)]
    configure_logging(Redactor(secrets), level=getattr(logging, settings.log_level.upper()))
    log_topic = LogTopic(settings.bootstrap_servers or "", topic, settings.kafka_options)
    log_topic.ensure(partitions)
    _require_memory(log_topic, accept_retention)
    run = _Run(settings, account, log_topic, Scope(experiences, touchpoints), page_size)
    written = asyncio.run(run.stream(None if once else interval_s))
    if output == "json":
        sys.stdout.buffer.write(orjson.dumps({"topic": topic, "written": written}) + b"\n")
    else:
        click.echo(f"{written:,} new visits on {topic}")
    if run.failures:
        raise FaultError("; ".join(run.failures))


def _require_memory(topic: LogTopic, accepted: bool) -> None:
    why = topic.forgets()
    if why is None:
        return
    if not accepted:
        raise RefusedError(
            f"the topic {topic.name} is the memory of what was written, and it forgets: {why}. Visits that it "
            "has forgotten would be written again: keep it for ever, or accept that by --accept-retention"
        )
    _LOG.warning(f"the topic {topic.name} forgets: {why}; forgotten visits are written again")


class _Run:
    """The parts of a stream, within one event loop."""

    def __init__(
        self, settings: Settings, account: Account, topic: LogTopic, scope: Scope, page_size: int
    ) -> None:
        self._settings = settings
        self._account = account
        self._topic = topic
        self._scope = scope
        self._page_size = page_size
        self.failures: tuple[str, ...] = ()

    async def stream(self, interval_s: float | None) -> int:
        """Rounds until a signal, or one where there is no interval. Gives how many visits were written."""
        registry = registry_of(self._settings)
        try:
            make_topic = await self._visit_topics(registry)
            async with (
                SlowProgress(_LOG.info, every_s=_PROGRESS_EVERY_S) as progress,
                self._account.metrics(self._page_size, progress.say) as metrics,
            ):
                stream = TouchpointStream(metrics, make_topic, self._scope, on_progress=progress.say)
                _stop_on_signals(stream)
                try:
                    if interval_s is None:
                        self.failures = (await stream.round()).failures
                    else:
                        await stream.run(interval_s)
                finally:
                    await stream.close()
                return stream.written
        finally:
            registry.close()

    async def _visit_topics(self, registry: Registry) -> Callable[[], VisitTopic]:
        folder = self._settings.schemas or schemas_dir()
        file = folder / "touchpoint-visit.avsc"
        try:
            text = json.dumps(json.loads(file.read_text("utf-8")))
        except (OSError, ValueError):
            raise UsageError(f"the schema {file} can't be read, or is not JSON") from None
        encoder = Encoder(text, await registry.register(f"{self._topic.name}-value", text))
        policy = AvroPolicy(native=self._settings.avro_reader == "auto")
        decoder = Decoder(registry, SystemClock(), policy)
        return lambda: VisitTopic(TransactionalLog(self._topic.name, self._topic), decoder, encoder)


def _stop_on_signals(stream: TouchpointStream) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stream.stop)
