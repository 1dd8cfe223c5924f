"""What nobody catches is told by the log, which masks what may be secret, as Python's own way would not."""

import logging
import sys
import threading
from types import TracebackType
from typing import Any


def tell_faults() -> None:
    """From now on, in this process: exceptions that end a thread, or that nothing can be raised from."""
    threading.excepthook = _of_thread
    sys.unraisablehook = _unraisable
    sys.excepthook = _of_main


def tell(text: str, error: BaseException | None) -> None:
    """A fault of ours, on the log that is set up, or on one that is set up now."""
    from consumer.telemetry.logs import configure_logging
    from consumer.telemetry.redaction import Redactor

    root = logging.getLogger()
    if not root.handlers:
        configure_logging(Redactor())
    root.error(text, exc_info=error)


def _of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is not SystemExit:
        name = "?" if ended.thread is None else ended.thread.name
        tell(
            f"a fault of distinct-consumer itself ended the thread {name}: please report it", ended.exc_value
        )


def _unraisable(what: Any) -> None:
    tell("a fault that could not be raised: please report it", what.exc_value)


def _of_main(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
    tell("a fault of distinct-consumer itself: please report it, with this", error)
