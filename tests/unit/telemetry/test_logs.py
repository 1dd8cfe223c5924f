"""Log lines, as an operator or a log store reads them."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from consumer.clock import ManualClock
from consumer.telemetry.logs import JsonFormatter, configure_logging
from consumer.telemetry.redaction import Redactor

CANARY = "canary@example.org"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raises = root.handlers[:], root.level, logging.raiseExceptions
    show = warnings.showwarning
    yield
    root.handlers[:], logging.raiseExceptions = handlers, raises
    root.setLevel(level)
    logging.captureWarnings(False)
    warnings.showwarning = show


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def lines(clock: ManualClock) -> Callable[[], list[dict[str, Any]]]:
    """Logging is set up; gives what was logged since."""
    out = io.StringIO()
    configure_logging(Redactor(["known-secret"]), stream=out, clock=clock)
    return lambda: [json.loads(line) for line in out.getvalue().splitlines()]


log = logging.getLogger("consumer.test")


def test_a_line_is_one_json_object_with_what_the_call_gave(lines):
    log.warning("%s halted", "ua", extra={"destination": "ua", "pending": 3})
    [line] = lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "consumer.test",
        "message": "ua halted",
        "destination": "ua",
        "pending": 3,
    }


def test_nothing_secret_comes_out_by_any_way(lines):
    log.info("to %s", CANARY)
    log.info(f"key known-secret of {CANARY}")
    log.info("x", extra={"headers": {"x-distinct-api-key": "known-secret"}, "who": CANARY})
    try:
        try:
            raise ValueError(f"inner {CANARY}")
        except ValueError as inner:
            raise RuntimeError(f"outer {CANARY} known-secret") from inner
    except RuntimeError:
        log.exception("failed for %s", CANARY)
    text = json.dumps(lines())
    assert "canary" not in text
    assert "known-secret" not in text
    assert lines()[-1]["error"]["type"] == "RuntimeError"
    assert "inner" in lines()[-1]["error"]["stack"]


def test_a_stack_names_the_fault_and_its_causes_but_quotes_no_data(lines):
    try:
        try:
            dict[str, str]()["usr-7"]
        except KeyError as inner:
            raise RuntimeError("the lane is gone") from inner
    except RuntimeError:
        log.exception("failed")
    try:
        int("usr-8")
    except ValueError:
        log.exception("failed")
    first, second = (line["error"] for line in lines())
    assert (first["type"], first["message"]) == ("RuntimeError", "the lane is gone")
    assert first["stack"].index("KeyError: ") < first["stack"].index("RuntimeError: the lane is gone")
    assert (second["type"], "usr" in second["message"]) == ("ValueError", False)
    assert "KeyError: 'usr" not in first["stack"]
    assert "literal" not in second["stack"]


def test_line_breaks_and_strange_characters_stay_inside_of_their_line():
    # Not by way of a logger: pytest would keep the record, and a lone surrogate ends its worker processes.
    record = logging.LogRecord(
        "consumer.test", logging.INFO, __file__, 1, "one\ntwo \ud800 \x1b[31m", (), None
    )
    record.v = "a\nb"
    text = JsonFormatter(Redactor()).format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert line["message"].startswith("one\ntwo")
    assert line["v"] == "a\nb"


def test_what_an_extra_is_called_cannot_hide_the_message(lines):
    log.info("the message", extra={"level": "fake", "logger": "fake", "time": "fake"})
    [line] = lines()
    assert (line["level"], line["logger"]) == ("info", "consumer.test")


def test_values_that_do_not_fit_their_text_are_no_reason_to_lose_the_line(lines):
    log.info("%d of %d", "three")
    assert lines()[0]["message"] == "%d of %d"


def test_a_repeated_message_is_left_out_and_counted(lines, clock: ManualClock):
    for partition in range(50):
        log.error("partition %d: commit failed", partition)
        log.error(f"partition {partition}: in one text")
    log.error("something else")
    assert [line["message"] for line in lines()].count("something else") == 1
    assert len(lines()) == 3 + 3 + 1
    clock.advance(10)
    log.error("partition %d: commit failed", 7)
    assert lines()[-1]["repeats_left_out"] == 47
    clock.advance(10)
    log.error("partition %d: commit failed", 7)
    assert "repeats_left_out" not in lines()[-1]


def test_what_librdkafka_says_is_told_apart_by_its_values_and_once_a_minute(lines, clock: ManualClock):
    client = logging.getLogger("consumer.kafka.client")
    for after_ms in range(50):
        client.error("%s [%s] %s", "FAIL", "producer-1", f"a:1: Connection refused (after {after_ms}ms)")
    client.error("%s [%s] %s", "MAXPOLL", "consumer-2", "maximum poll interval exceeded")
    assert [line["message"] for line in lines()] == [
        "FAIL [producer-1] a:1: Connection refused (after 0ms)",
        "MAXPOLL [consumer-2] maximum poll interval exceeded",
    ]
    clock.advance(60)
    client.error("%s [%s] %s", "FAIL", "producer-1", "a:1: Connection refused (after 7ms)")
    assert lines()[-1]["repeats_left_out"] == 49


def test_http_libraries_do_not_log_urls(lines):
    logging.getLogger("httpx").info("HTTP Request: GET http://h/?key=known")
    logging.getLogger("httpx2").info("HTTP Request: GET http://h/?key=known")
    logging.getLogger("httpcore.connection").debug("connect_tcp.started")
    assert lines() == []
    logging.getLogger("httpx").warning("this one matters")
    assert len(lines()) == 1


def test_setting_up_again_replaces_and_does_not_repeat():
    first, second = io.StringIO(), io.StringIO()
    configure_logging(Redactor(), stream=first)
    configure_logging(Redactor(), stream=second)
    log.info("once")
    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1


def test_a_terminal_gets_a_readable_line():
    out = Terminal()
    configure_logging(Redactor(), stream=out)
    log.warning("%s halted\nforged line \x1b[2J", "ua", extra={"who": CANARY, "pending": 3})
    [line] = out.getvalue().splitlines()
    assert "warning ua halted" in line
    assert "pending=3" in line
    assert "\x1b" not in line
    assert "canary" not in line


def test_a_stack_follows_a_readable_line_redacted():
    out = Terminal()
    configure_logging(Redactor(), stream=out)
    try:
        raise ValueError(f"{CANARY} \x1b[2J")
    except ValueError:
        log.exception("failed")
    assert "Traceback" in out.getvalue()
    assert "canary" not in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_a_broken_stream_neither_raises_nor_prints_the_record(capsys: pytest.CaptureFixture[str]):
    out = io.StringIO()
    configure_logging(Redactor(), stream=out)
    out.close()
    log.error("to %s", CANARY)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
