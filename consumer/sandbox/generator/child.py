"""The generator in an operating-system process of its own: it shares no interpreter lock with a consumer."""

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection

from consumer.errors import ConsumerError, FaultError
from consumer.sandbox.generator.plan import Plan
from consumer.sandbox.generator.produced import Produced
from consumer.sandbox.generator.producer import Progress, generate
from consumer.sandbox.generator.target import Target

_STOP = "stop"
_SLICE_S = 0.1
_GOODBYE_S = 10.0


def generate_in_child(
    plan: Plan,
    target: Target,
    *,
    progress: Progress = lambda acknowledged: None,
    stop: Callable[[], bool] = lambda: False,
) -> Produced:
    """As `generate`, and as blocking. Progress and stop are called in this process; the child dies too."""
    context = multiprocessing.get_context("spawn")  # librdkafka does not survive a fork
    ours, theirs = context.Pipe()
    child = context.Process(target=_work, args=(theirs, plan, target), name="generator", daemon=True)
    child.start()
    theirs.close()
    try:
        return _listen(ours, progress, stop)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        child.join(_GOODBYE_S)
        raise FaultError(f"the generator's process ended unasked, with exit code {child.exitcode}") from None
    finally:
        ours.close()
        child.join(_GOODBYE_S)
        if child.is_alive():
            child.kill()


def _listen(ours: Connection, progress: Progress, stop: Callable[[], bool]) -> Produced:
    told = False
    while True:
        if not told and stop():
            ours.send(_STOP)
            told = True
        if not ours.poll(_SLICE_S):
            continue
        match ours.recv():
            case int(acknowledged):
                progress(acknowledged)
            case Produced() as produced:
                return produced
            case error:
                raise error


def _work(theirs: Connection, plan: Plan, target: Target) -> None:
    # A Ctrl-C goes to the whole terminal: the parent decides what it means, and says so through the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Readable means "stop" or that the parent is gone: both end the stream.
    try:
        theirs.send(generate(plan, target, progress=theirs.send, stop=theirs.poll))
    except ConsumerError as error:
        theirs.send(error)
    except OSError:
        return  # nobody listens any more
