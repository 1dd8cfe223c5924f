"""Schemas in files, and the versions that went before them: `NAME.avsc`, and `history/NAME/1.avsc`, `2.avsc` …

What was ever registered stands in the history, so that a change is proven against it without any registry.
"""

import re
from pathlib import Path
from typing import NamedTuple

import orjson

from consumer.avro.schemas import SchemaText
from consumer.errors import ConfigurationError, FaultError

FOLDER = "history"
_NUMBERED = re.compile(r"([1-9][0-9]{0,5})\.avsc")


class Version(NamedTuple):
    """One schema in a file; `name` is for people: `user-event.avsc`, `history/user-event/2.avsc`."""

    name: str
    text: SchemaText


def schema_names(folder: Path) -> list[str]:
    """The names of the schemas that stand in a folder, those with a history only included. Blocks."""
    present = {path.stem for path in folder.glob("*.avsc")}
    past = {path.name for path in (folder / FOLDER).glob("*") if path.is_dir()}
    return sorted(present | past)


def read_version(folder: Path, name: str) -> Version:
    """The schema as it is now. Raises ConfigurationError for a file that is not there or no UTF-8 text."""
    return _read(folder, Path(f"{name}.avsc"))


def read_history(folder: Path, name: str) -> list[Version]:
    """The versions before it, oldest first. Raises ConfigurationError for a file that does not belong there."""
    numbered: dict[int, Path] = {}
    for path in sorted((folder / FOLDER / name).glob("*")):
        match = _NUMBERED.fullmatch(path.name)
        if match is None:
            raise ConfigurationError([f"{path}: must be named by its number, such as 1.avsc"])
        numbered[int(match[1])] = path.relative_to(folder)
    missing = set(range(1, len(numbered) + 1)) - numbered.keys()
    if missing:
        # A gap is a version that nobody proves anything against.
        raise ConfigurationError([f"{folder / FOLDER / name}: {min(missing)}.avsc is missing"])
    return [_read(folder, path) for _, path in sorted(numbered.items())]


def is_recorded(version: Version, history: list[Version]) -> bool:
    """Whether a schema stands in its history, whatever its layout."""
    return any(_content(version) == _content(one) for one in history)


def record(folder: Path, version: Version) -> Path:
    """Add a schema to its history as the next version; gives the new file. Raises FaultError where it can't be
    written.
    """
    name = version.name.removesuffix(".avsc")
    number = len(read_history(folder, name)) + 1
    file = folder / FOLDER / name / f"{number}.avsc"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(version.text.text)
    except OSError as error:
        raise FaultError(f"{file}: can't be written: {error.strerror}") from None
    return file


def _read(folder: Path, path: Path) -> Version:
    try:
        return Version(path.as_posix(), SchemaText((folder / path).read_text("utf-8")))
    except OSError as error:
        raise ConfigurationError([f"{folder / path}: can't be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([f"{folder / path}: is not UTF-8 text"]) from None


def _content(version: Version) -> object:
    try:
        return orjson.loads(version.text.text)
    except orjson.JSONDecodeError:
        return version.text.text
