"""Whether the ledger can be opened and answers. Creates none."""

import asyncio
import os
from pathlib import Path

from consumer.clock import Clock
from consumer.errors import ConfigurationError, LedgerUnavailable
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.valkey_address import Access
from consumer.operations.observation import Observation, State

_BOUND_S = 20.0
_FILE = "sqlite:///"


async def observe_ledger(
    url: str, group: str, policy: LedgerPolicy, clock: Clock, access: Access | None = None
) -> Observation:
    """Open it, ask it for nothing, and close it. Waits for 20 s at most."""

    def seen(state: State, text: str) -> Observation:
        return Observation("ledger", "", state, text)

    try:
        ledger = open_ledger(url, group, policy, clock, access)
        if url.startswith("memory"):
            return seen("warning", "in memory: each restart of a group with commits needs --accept-ledger")
        if url.startswith(_FILE) and not (file := Path(url.removeprefix(_FILE))).exists():
            return seen(*_of_missing(file))
        try:
            async with asyncio.timeout(_BOUND_S):
                await ledger.open()
                await ledger.states([])
        finally:
            await ledger.close()
    except (ConfigurationError, LedgerUnavailable) as error:
        return seen("failed", str(error))
    except TimeoutError:
        return seen("failed", f"no answer within {_BOUND_S:g} s")
    if ledger.advice:
        return seen("warning", "answering; " + "; ".join(ledger.advice))
    return seen("ok", "answering")


def _of_missing(file: Path) -> tuple[State, str]:
    folder = file.absolute().parent
    if folder.is_dir() and os.access(folder, os.W_OK):
        return "ok", f"{file} does not exist yet: the first start creates it"
    return (
        "failed",
        f"{file} does not exist and cannot be created: {folder} must be a folder that we may write to",
    )
