"""Notices that the files behind a registry's address were exchanged, and reads the new ones."""

import os
from pathlib import Path

from msgspec.structs import replace

from consumer.avro.address import RegistryAddress

Stamp = tuple[tuple[int, int, int], ...]


class Rotation:
    """The address as its files say now. Blocks on them; raises nothing for a rotation that is caught halfway."""

    def __init__(self, address: RegistryAddress) -> None:
        self._address = address
        self._stamp: Stamp | None = self._look()

    def changed(self) -> RegistryAddress | None:
        """The address, where a file has changed since the last call; None where none has, or not all can be read."""
        stamp = self._look()
        if stamp is None or stamp == self._stamp:
            return None
        basic_auth = self._address.basic_auth
        if self._address.basic_auth_file is not None:
            try:
                basic_auth = Path(self._address.basic_auth_file).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                return None
            if not basic_auth:
                return None
        self._stamp = stamp
        return replace(self._address, basic_auth=basic_auth)

    def _look(self) -> Stamp | None:
        found = []
        for file in self._address.files:
            try:
                status = os.stat(file)
            except OSError:
                return None
            # Kubernetes swaps a link: the new file may be as old and as long as the old one, but is another.
            found.append((status.st_mtime_ns, status.st_ino, status.st_size))
        return tuple(found)
