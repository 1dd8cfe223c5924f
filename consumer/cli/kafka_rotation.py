"""Kafka's credentials exchanged while the consumer runs: the properties file, and what it names, looked at again."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from consumer.settings.properties import read_properties

LOOK_EVERY_S = 2.0
_LOG = logging.getLogger("consumer.run")
_CREDENTIALS = ("sasl.username", "sasl.password")
_NAMES_A_FILE = (".location",)

UseCredentials = Callable[[str, str], None]


class KafkaRotation:
    """Hands on a new user name and password; says of everything else that it needs a restart."""

    def __init__(
        self,
        file: Path,
        options: Mapping[str, str],
        use: UseCredentials,
        *,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        """`options`: those of the file, in use. Blocks on the files once, to see how they are now."""
        self._file = file
        self._options = dict(options)
        self._use = use
        self._look_every_s = look_every_s
        named = [Path(value) for name, value in options.items() if name.endswith(_NAMES_A_FILE)]
        self._named = sorted(named)
        self._stamp = _stamp_of(file)
        self._stamps = {one: _stamp_of(one) for one in self._named}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._look_every_s)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Once. Blocks on the files; a file that is gone or half written changes nothing yet."""
        stamp = _stamp_of(self._file)
        if stamp is not None and stamp != self._stamp:
            self._stamp = stamp
            self._read()
        for file in self._named:
            found = _stamp_of(file)
            if found is not None and found != self._stamps[file]:
                self._stamps[file] = found
                _LOG.warning(f"{file} has changed: Kafka's client uses it from the next start on only")

    def _read(self) -> None:
        options, _, findings = read_properties(self._file)
        if findings:
            for finding in findings:
                _LOG.error(f"not read again: {finding}")
            return
        before, self._options = self._options, options
        changed = {name for name in before.keys() | options if before.get(name) != options.get(name)}
        if changed & set(_CREDENTIALS) and all(name in options for name in _CREDENTIALS):
            self._use(*(options[name] for name in _CREDENTIALS))
            _LOG.info(
                f"{self._file} read again: connections to Kafka are made with its new user and password"
            )
        if rest := changed - set(_CREDENTIALS):
            _LOG.warning(f"{self._file} has changed: {', '.join(sorted(rest))} as of the next start only")


def _stamp_of(file: Path) -> tuple[int, int, int] | None:
    try:
        # Kubernetes swaps a link: the new file may be as old and as long as the old one, but is another.
        status = os.stat(file)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
