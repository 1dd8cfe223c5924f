"""One worker of `run --workers N`: the same as `run`, but told by its parent, and telling its parent.

`python -m consumer.cli.worker` is for that parent alone. Standard input: one line, and its end means that the parent
is gone. Standard output: reports.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable

import msgspec
import uvloop

from consumer.app import App
from consumer.cli.core_dumps import forbid_core_dumps
from consumer.cli.last_words import tell, tell_faults
from consumer.cli.run_order import RunOrder, prepare
from consumer.cli.service import serve
from consumer.errors import ConfigurationError, ConsumerError
from consumer.workers.report_pipe import ReportPipe
from consumer.workers.reports import Beat, Ended, Started

BEAT_S = 1.0
"""What a worker that is killed has done since its last beat is missing in the books."""
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
    pipe = ReportPipe(os.dup(1))
    os.dup2(2, 1)
    try:
        order = msgspec.json.decode(sys.stdin.buffer.readline(), type=WorkerOrder)
        ended = _work(order, pipe)
    except ConsumerError as error:
        findings = error.findings if isinstance(error, ConfigurationError) else [str(error)]
        ended = Ended(error.exit_code, findings)
    except Exception as error:
        tell("a fault of distinct-consumer itself: please report it, with this", error)
        ended = Ended(1, ["a fault of distinct-consumer itself: please report it, with the line above"])
    pipe.end(ended)
    sys.exit(ended.exit_code)


def _work(order: WorkerOrder, pipe: ReportPipe) -> Ended:
    prepared = prepare(order.run, order.number)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_Numbered(order.number))

    def attend(address: tuple[str, int], app: App) -> None:
        pipe.tell(Started(*address))
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _end_with_parent, app.stop)
        _beat(pipe, app)

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


def _beat(pipe: ReportPipe, app: App) -> None:
    view = app.status.view()
    pipe.tell(Beat(app.coordinator.count().as_json(app.status.seconds), view.joined, view.lag))
    asyncio.get_running_loop().call_later(BEAT_S, _beat, pipe, app)


if __name__ == "__main__":
    main()
