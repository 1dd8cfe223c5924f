"""Which receiver there is here."""

from collections.abc import Callable

from bench.receiver.face import Receiver
from bench.receiver.fallback import SlowReceiver
from bench.receiver.process import FastReceiver, build_receiver
from consumer.errors import FaultError


def find_receiver(tell: Callable[[str], None]) -> Receiver:
    """The fast one, built if need be; the simulator where that is not possible, and why. Blocks for seconds."""
    receiver: Receiver
    try:
        receiver = FastReceiver(build_receiver())
    except FaultError as error:
        tell(f"no fast receiver: {error}")
        receiver = SlowReceiver()
    tell(f"receiver: {receiver.description}")
    return receiver
