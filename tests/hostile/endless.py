"""Ways of answering that have no end, or a rude one."""

import asyncio

from tests.contract.senders.receiver import Behaviour, Seen, Wire

DRIP_S = 0.02


def dripping(start: bytes, rest: bytes) -> Behaviour:
    """Write `start`, then `rest` byte by byte, as a slow-loris does; then nothing more, and stay."""

    async def behave(wire: Wire, seen: Seen) -> None:
        await wire.write(start)
        for number in range(len(rest)):
            await asyncio.sleep(DRIP_S)
            if wire.is_closing:
                return
            await wire.write(rest[number : number + 1])
        await wire.reader.read(1)  # until the sender hangs up

    return behave


def pouring(start: bytes, again: bytes) -> Behaviour:
    """Write `start`, then `again` without end, as fast as it is taken."""

    async def behave(wire: Wire, seen: Seen) -> None:
        await wire.write(start)
        while not wire.is_closing:
            await wire.write(again)
            await asyncio.sleep(0)

    return behave


def resetting(start: bytes) -> Behaviour:
    """Write `start`, and end the connection with RST."""

    async def behave(wire: Wire, seen: Seen) -> None:
        await wire.write(start)
        await asyncio.sleep(0.02)  # a reset overtakes what the kernel has not handed over yet
        wire.reset()

    return behave


def half_closing(start: bytes) -> Behaviour:
    """Write `start`, say that nothing more will come, and go on reading."""

    async def behave(wire: Wire, seen: Seen) -> None:
        await wire.write(start)
        wire.writer.write_eof()
        await wire.reader.read(1)

    return behave
