"""`KAFKA_PROPERTIES`: librdkafka's options in a properties file, as Kafka's own tools write and read them.

Follows the format of java.util.Properties, but refuses what would silently be taken for something else: an
escape that is none (a password with a single backslash), a key twice, a line without a value.
"""

import re
from pathlib import Path
from typing import NamedTuple

from consumer.settings.document import Finding, Place

_KEY = re.compile(r"((?:[^\\=:\s]|\\.)+)[ \t\f]*[=:]?[ \t\f]*(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.|\Z)", re.DOTALL)
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", **{character: character for character in "\\=:#! "}}


class Properties(NamedTuple):
    """What a file says: its options, where each stands, and what is wrong with it, without any value of it."""

    options: dict[str, str]
    places: dict[str, Place]
    findings: list[Finding]


def read_properties(file: Path) -> Properties:
    """What a file says. Blocks; raises nothing."""
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        return _unreadable(file, f"the file can't be read: {error.strerror}")
    except UnicodeDecodeError:
        return _unreadable(file, "the file is not UTF-8 text")
    return parse_properties(str(file), text)


def _unreadable(file: Path, why: str) -> Properties:
    return Properties({}, {}, [Finding(Place(str(file), 0), "", why)])


def parse_properties(source: str, text: str) -> Properties:
    """As `read_properties`, from text; `source` names it in the findings."""
    options: dict[str, str] = {}
    places: dict[str, Place] = {}
    findings: list[Finding] = []
    for line, joined in _logical_lines(text):
        place = Place(source, line)
        match = _KEY.fullmatch(joined)
        if match is None:
            findings.append(Finding(place, "", "must be a line such as security.protocol=SASL_SSL"))
            continue
        key, value = _unescaped(match[1]), _unescaped(match[2])
        if key is None or value is None:
            findings.append(
                Finding(place, key or "", r"holds a \ that escapes nothing: write \\ for a backslash")
            )
        elif not value:
            findings.append(Finding(place, key, "has no value"))
        elif key in options:
            findings.append(Finding(place, key, "is set twice"))
        else:
            options[key] = value
            places[key] = place
    return Properties(options, places, findings)


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines with content, and the number of their first one; one that ends in a single backslash goes on."""
    lines: list[tuple[int, str]] = []
    begun: tuple[int, str] | None = None
    for number, raw in enumerate(re.split("\r\n|\r|\n", text), 1):
        content = raw.lstrip(" \t\f")
        if begun is None:
            if not content or content[0] in "#!":
                continue
            begun = (number, "")
        begun = (begun[0], begun[1] + content)
        if (len(content) - len(content.rstrip("\\"))) % 2:
            begun = (begun[0], begun[1][:-1])
        else:
            lines.append(begun)
            begun = None
    return lines if begun is None else [*lines, begun]


def _unescaped(text: str) -> str | None:
    """None for an escape that does not exist."""
    unknown = False

    def replace(match: re.Match[str]) -> str:
        nonlocal unknown
        found = match[1]
        if len(found) == 5:
            return chr(int(found[1:], 16))
        unknown = unknown or found not in _ESCAPED
        return _ESCAPED.get(found, "")

    replaced = _ESCAPE.sub(replace, text)
    return None if unknown else replaced
