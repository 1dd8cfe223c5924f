"""The folders that ship with the package: the default schemas and topology."""

from pathlib import Path

from consumer.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent


def schemas_dir() -> Path:
    """The folder of the shipped Avro schemas. Raises UsageError where the installation lacks it."""
    return _shipped("schemas")


def topology_dir() -> Path:
    """The folder of the shipped topology. Raises UsageError where the installation lacks it."""
    return _shipped("topology")


def _shipped(name: str) -> Path:
    # The checkout comes second: an installed wheel has a neighbour of that name only by accident.
    candidates = (_PACKAGE / "_data" / name, _PACKAGE.parent / name)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    places = " or ".join(str(candidate) for candidate in candidates)
    raise UsageError(f"the shipped folder {name}/ is missing at {places}: install the package again")
