"""Where the settings' values come from, one source over the other, each value with its place."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from consumer.settings.document import Document, Finding, Place
from consumer.settings.mistakes import nearest
from consumer.settings.model import RECEIVER_KEYS, SECRETS, keys, variable_of

_FILE = "_file"
_RECEIVER_SECRETS = frozenset(key for key in RECEIVER_KEYS if key.endswith("_api_key"))


class Sources:
    """Take the sources from the weakest to the strongest, then read `document`, `receivers`, `findings`."""

    def __init__(self, only: Collection[str] | None = None) -> None:
        """`only`: the keys that are read; None: all."""
        self._left_out: frozenset[str] = frozenset() if only is None else frozenset(keys()) - frozenset(only)
        self.document = Document({}, {}, [])
        self.receivers: dict[str, str] = {}
        """What a topology may refer to, by the name of its environment variable."""
        self.receiver_places: dict[str, Place] = {}
        self.secret_files: dict[str, Path] = {}
        """By key, the file that a secret came from."""

    @property
    def findings(self) -> list[Finding]:
        """What was wrong with the sources themselves."""
        return self.document.findings

    def take_file(self, file: Document) -> None:
        """The `--config` file."""
        if not self._left_out:
            self.findings.extend(file.findings)
        known = keys()
        for key, value in file.values.items():
            place = file.places[key,]
            secret = key.removesuffix(_FILE)
            if key in known:
                self._take(key, value, place)
            elif secret in SECRETS:
                self._take_secret(secret, value, place, twice=secret in file.values)
            elif key in RECEIVER_KEYS or secret in _RECEIVER_SECRETS:
                self._take_receiver(key, value, place)
            elif not self._left_out:
                files = [name + _FILE for name in (*SECRETS, *_RECEIVER_SECRETS)]
                text = "unknown key" + nearest(key, [*known, *RECEIVER_KEYS, *files])
                self.findings.append(Finding(place, key, text))

    def take_environment(self, environment: Mapping[str, str]) -> None:
        """Environment variables; an empty one counts as not set."""
        for key in keys():
            name = variable_of(key)
            if environment.get(name):
                self._take(key, environment[name], variable_place(name))
            file_name = name + _FILE.upper()
            if key in SECRETS and environment.get(file_name):
                twice = bool(environment.get(name))
                self._take_secret(key, environment[file_name], variable_place(file_name), twice=twice)

    def take_flags(self, flags: Mapping[str, Any]) -> None:
        """Flags by their key; None: not given."""
        for key in keys():
            if flags.get(key) is not None:
                self._take(key, flags[key], Place(f"--{key.replace('_', '-')}", 0))

    def _take(self, key: str, value: Any, place: Place) -> None:
        if key not in self._left_out:
            self.document.values[key] = value
            self.document.places[key,] = place

    def _take_secret(self, key: str, file: Any, place: Place, *, twice: bool) -> None:
        if key in self._left_out:
            return
        if twice:
            self.findings.append(Finding(place, key, "is given itself and as a file: give one of them"))
            return
        try:
            value = Path(str(file)).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            value = ""
        if value:
            self._take(key, value, place)
            self.secret_files[key] = Path(str(file))
        else:
            self.findings.append(Finding(place, key + _FILE, f"the file {file} can't be read, or is empty"))

    def _take_receiver(self, key: str, value: Any, place: Place) -> None:
        if isinstance(value, str) and value:
            self.receivers[key.upper()] = value
            self.receiver_places[key.upper()] = place
        else:
            self.findings.append(Finding(place, key, "must be text"))


def variable_place(name: str) -> Place:
    """An environment variable as the place of a value."""
    return Place(f"environment variable {name}", 0)
