"""A topology read again while the consumer runs: on SIGHUP, and when its files have changed."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from consumer.errors import ConsumerError
from consumer.topology.plan import Plan

LOOK_EVERY_S = 2.0
_LOG = logging.getLogger("consumer.run")

Stamp = tuple[tuple[str, int, int, int], ...]
"""What tells a changed folder: names, times, sizes, and which files they are."""


class Reloading:
    """Reads, checks and hands on; what is broken is told, and what runs goes on."""

    def __init__(
        self,
        folders: Sequence[Path],
        load: Callable[[], Plan],
        use: Callable[[Plan], None],
        version: str,
        *,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        """Blocks on the files once, to see how they are now.

        `load` may block, and runs in a thread. `use` raises ConfigurationError for a plan that needs a restart.
        """
        self._folders = folders
        self._load = load
        self._use = use
        self._version = version
        self._look_every_s = look_every_s
        self._asked = asyncio.Event()
        self._used = stamp_of(folders)

    def ask(self) -> None:
        """Read it again now, whether or not its files look changed."""
        self._asked.set()

    async def run(self) -> None:
        """Until cancelled. A change is read when it looks the same twice: files are seldom written at once."""
        seen = self._used
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_every_s):
                    await self._asked.wait()
            asked = self._asked.is_set()
            self._asked.clear()
            before, seen = seen, await asyncio.to_thread(stamp_of, self._folders)
            if asked or (seen != self._used and seen == before):
                self._used = seen
                await self._reload(asked=asked)

    async def _reload(self, *, asked: bool) -> None:
        try:
            plan = await asyncio.to_thread(self._load)
            if plan.version != self._version or asked:
                self._use(plan)
        except (ConsumerError, OSError) as error:
            for line in str(error).splitlines():
                _LOG.error(f"topology not reloaded: {line}", extra={"topology": self._version})
            return
        if plan.version == self._version:
            if asked:
                _LOG.info("topology read again: nothing in it has changed", extra={"topology": self._version})
            return
        _LOG.info(
            f"topology reloaded: records are mapped by version {plan.version} from now on",
            extra={"topology": plan.version, "before": self._version},
        )
        self._version = plan.version


def stamp_of(folders: Sequence[Path]) -> Stamp:
    """Of all files that a topology can be made of. Blocks; a file that goes meanwhile is left out."""
    found = []
    for folder in folders:
        for ending in ("*.yaml", "*.yml", "*.avsc"):
            for file in folder.glob(ending):
                try:
                    # Kubernetes exchanges what a link leads to: the same name and size, but another file.
                    status = os.stat(file)
                except OSError:
                    continue
                found.append((str(file), status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(sorted(found))
