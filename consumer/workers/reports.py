"""What a worker tells its parent: lines of JSON through a pipe that nothing else writes to."""

from typing import Any

import msgspec


class Started(msgspec.Struct, frozen=True, tag="started"):
    """Its admin port is open, and signals drain it from now on."""

    host: str
    port: int


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """Its books, as every command prints them, every second: cheap, unlike its /status, which walks all lanes."""

    books: dict[str, Any]
    joined: bool
    lag: int | None = None


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The last line. `findings`: why, unless all went well; `books`: as every command prints them, if there are any."""

    exit_code: int
    findings: list[str] = []
    books: dict[str, Any] | None = None


Report = Started | Beat | Ended

_DECODER: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)


def encode(report: Report) -> bytes:
    """One line."""
    return msgspec.json.encode(report) + b"\n"


def decode(line: bytes) -> Report:
    """Raises msgspec.MsgspecError for what is no report."""
    return _DECODER.decode(line)
