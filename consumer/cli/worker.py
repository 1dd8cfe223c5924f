"""One worker of `run --workers N`: the same as `run`, but told by its parent, and telling its parent.

`python -m consumer.cli.worker` is for that parent alone. Standard input: one line, and its end means that the parent
is gone. Standard output: reports.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress

import msgspec
import uvloop

from consumer.cli.core_dumps import forbid_core_dumps
from consumer.cli.last_words import tell, tell_faults
from consumer.cli.run_order import RunOrder, prepare
from consumer.cli.service import serve
from consumer.errors import ConfigurationError, ConsumerError
from consumer.workers.reports import Ended, Report, Started, encode

_LOG = logging.getLogger("consumer.run")


class WorkerOrder(msgspec.Struct, frozen=True):
    """What a worker is told."""

    number: int
    run: RunOrder


class _Numbered(logging.Filter):
    """Lets every line say which worker it is of."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def filter(self, record: logging.LogRecord) -> bool:
        record.worker = self._number
        return True


def main() -> None:
    """Ends with the exit code that `run` would have."""
    forbid_core_dumps()  # before a secret is read
    tell_faults()
    # Whatever prints goes to the log: the parent reads reports, and nothing else.
    reports = os.dup(1)
    os.dup2(2, 1)
    try:
        order = msgspec.json.decode(sys.stdin.buffer.readline(), type=WorkerOrder)
        ended = _work(order, reports)
    except ConsumerError as error:
        findings = error.findings if isinstance(error, ConfigurationError) else [str(error)]
        ended = Ended(error.exit_code, findings)
    except Exception as error:
        tell("a fault of distinct-consumer itself: please report it, with this", error)
        ended = Ended(1, ["a fault of distinct-consumer itself: please report it, with the line above"])
    _report(reports, ended)
    sys.exit(ended.exit_code)


def _work(order: WorkerOrder, reports: int) -> Ended:
    prepared = prepare(order.run, order.number)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_Numbered(order.number))

    def attend(address: tuple[str, int], stop: Callable[[], None]) -> None:
        _report(reports, Started(*address))
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _end_with_parent, stop)

    one = prepared
    serving = serve(one.settings, one.load, one.folders, one.plan, one.config, one.redactor, attend)
    ended = uvloop.run(serving)
    stopped = ended.stopped
    return Ended(
        0 if stopped is None else stopped.exit_code,
        [] if stopped is None else [str(stopped)],
        ended.books.as_json(ended.seconds),
    )


def _end_with_parent(stop: Callable[[], None]) -> None:
    if os.read(sys.stdin.fileno(), 4096):
        return
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    _LOG.warning("the parent process is gone: stopping")
    stop()


def _report(to: int, report: Report) -> None:
    with suppress(OSError):  # nobody listens any more
        rest = encode(report)
        while rest:
            rest = rest[os.write(to, rest) :]


if __name__ == "__main__":
    main()
