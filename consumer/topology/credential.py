"""Where a destination's key comes from: a reference, followed at each use: a rotated file is picked up."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from consumer.errors import FaultError

_UNSENDABLE = "must be one line of printable ASCII, as it is sent in a header"


class CredentialSource(Protocol):
    """A key for a destination. Showing one shows its reference, never the key."""

    @property
    def reference(self) -> str:
        """As the topology has it: `env:NAME` or `file:/path`."""
        ...

    def read(self) -> str:
        """The key as it is now. May look at a file; raises FaultError where there never was a usable one."""
        ...


class CredentialProblem(str):
    """Why a reference gives no key, and what to do; holds no part of a key."""

    __slots__ = ()


class FixedCredential:
    """A key from the environment, which does not change while the process lives."""

    __slots__ = ("_key", "reference")

    def __init__(self, reference: str, key: str) -> None:
        self.reference = reference
        self._key = key

    def read(self) -> str:
        return self._key

    def __repr__(self) -> str:
        return f"<credential {self.reference}>"


class FileCredential:
    """A key from a file, read again when that has changed. A rotation caught halfway changes nothing yet."""

    __slots__ = ("_file", "_key", "_stamp", "reference")

    def __init__(self, reference: str, file: Path) -> None:
        self.reference = reference
        self._file = file
        self._stamp: tuple[int, int, int] | None = None
        self._key: str | None = None

    def read(self) -> str:
        fault = self.refresh()
        if self._key is None:
            raise FaultError(f"credential {self.reference}: {fault}")
        return self._key

    def refresh(self) -> str | None:
        """Look at the file again; gives what is wrong with it now."""
        try:
            status = os.stat(self._file)
            # Kubernetes swaps a link: the new file may be as old and as long as the old one, but is another.
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if stamp != self._stamp:
                key = self._file.read_text("utf-8").strip()
                if not _sendable(key):
                    raise ValueError
                self._key, self._stamp = key, stamp
        except FileNotFoundError:
            return f"the file {self._file} does not exist"
        except OSError as error:
            return f"the file {self._file} can't be read: {error.strerror}"
        except ValueError:
            return f"the file {self._file} is empty, or no key: it {_UNSENDABLE}"
        return None

    def __repr__(self) -> str:
        return f"<credential {self.reference}>"


class UnresolvedCredential:
    """A reference that was not followed, because nothing is going to be sent."""

    __slots__ = ("reference",)

    def __init__(self, reference: str) -> None:
        self.reference = reference

    def read(self) -> str:
        raise FaultError(f"credential {self.reference}: was not resolved when the topology was loaded")


def is_reference(text: str) -> bool:
    """Whether this names a place and is no key itself."""
    kind, _, rest = text.partition(":")
    return (kind == "env" and rest.isidentifier() and rest.isascii()) or (
        kind == "file" and rest.startswith("/")
    )


def resolve(reference: str, environment: Mapping[str, str]) -> CredentialSource | CredentialProblem:
    """Follow a reference. `env:NAME` also takes the file that NAME_FILE names. Looks at the file once."""
    kind, _, rest = reference.partition(":")
    if kind == "file":
        return _from_file(reference, Path(rest))
    key, file = environment.get(rest), environment.get(f"{rest}_FILE")
    if key and file:
        return CredentialProblem(f"both {rest} and {rest}_FILE are set: set one of them")
    if file:
        return _from_file(reference, Path(file))
    if not key:
        return CredentialProblem(
            f"{rest} is not set: set it, or {rest}_FILE to the path of a file that holds it"
        )
    key = key.strip()
    return FixedCredential(reference, key) if _sendable(key) else CredentialProblem(f"{rest} {_UNSENDABLE}")


def _from_file(reference: str, file: Path) -> CredentialSource | CredentialProblem:
    source = FileCredential(reference, file)
    fault = source.refresh()
    return source if fault is None else CredentialProblem(fault)


def _sendable(key: str) -> bool:
    return bool(key) and key.isascii() and key.isprintable()
