"""Logs: one JSON object a line on stderr, or a readable line on a terminal; redacted, and not too many."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from consumer.clock import Clock, SystemClock
from consumer.telemetry.redaction import Redactor
from consumer.telemetry.repeats import RepeatFilter
from consumer.telemetry.stack import message_of, stack_of

# What every record has; the rest is what a call gave as `extra`.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "repeats"}

# They log a line a request, with its URL; what goes wrong is told by our own words.
_KAFKA_CLIENT = "consumer.kafka.client"
"""librdkafka's own words. It tries a broker that is down ten times a second, and says so each time."""
_KAFKA_REPEATS_S = 60.0

_TOO_TALKATIVE = ("httpx", "httpx2", "httpcore", "httpcore2", "urllib3", "asyncio", "confluent_kafka")


class JsonFormatter(logging.Formatter):
    """`{"time", "level", "logger", "message", …}`, beside it what the call gave as `extra`, and `error`."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the record holds."""
        redact = self._redactor
        out: dict[str, Any] = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact.text(_message(record)),
        }
        for name, value in _extra(record).items():
            out.setdefault(redact.text(name), redact.field(name, value))
        if (repeats := getattr(record, "repeats", None)) is not None:
            out["repeats_left_out"] = repeats
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            out["error"] = {
                "type": type(error).__name__,
                "message": redact.text(message_of(error)),
                "stack": redact.text(stack_of(error)),
            }
        return json.dumps(out)


class HumanFormatter(logging.Formatter):
    """`12:34:56 warning  text  name=value`, and the stack below."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """One line, and more for a stack."""
        redact = self._redactor
        parts = [_time(record).astimezone().strftime("%H:%M:%S"), f"{record.levelname.lower():<7}"]
        parts.append(redact.text(_message(record)))
        parts += [f"{name}={redact.field(name, value)}" for name, value in _extra(record).items()]
        if (repeats := getattr(record, "repeats", None)) is not None:
            parts.append(f"({repeats} more left out)")
        line = _on_one_line(" ".join(parts))
        if record.exc_info and record.exc_info[1] is not None:
            stack = redact.text(stack_of(record.exc_info[1]))
            line = "\n".join((line, *map(_on_one_line, stack.splitlines())))
        return line


def configure_logging(
    redactor: Redactor,
    *,
    level: int = logging.INFO,
    stream: TextIO | None = None,
    human: bool | None = None,
    clock: Clock | None = None,
) -> None:
    """Send all of the process's logs to `stream` (stderr), in place of whatever was set up before.

    `human`: readable lines, by default on a terminal only. The redactor may learn more secrets later.
    """
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    readable = out.isatty() if human is None else human
    handler.setFormatter(HumanFormatter(redactor) if readable else JsonFormatter(redactor))
    clock = clock or SystemClock()
    handler.addFilter(RepeatFilter(clock))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _TOO_TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    client = logging.getLogger(_KAFKA_CLIENT)
    for earlier in client.filters[:]:
        client.removeFilter(earlier)
    client.addFilter(RepeatFilter(clock, _KAFKA_REPEATS_S, burst=1, filled_in=True))
    # A broken stream or format must not print a record, unredacted, as the standard library does.
    logging.raiseExceptions = False
    logging.captureWarnings(True)


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # values that don't fit the text
        return str(record.msg)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}


def _on_one_line(text: str) -> str:
    # A line break or an escape sequence in a value must not forge a line or colour a terminal.
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
