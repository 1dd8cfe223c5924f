"""YAML that people wrote, without surprises: every value has its line, a hostile file ends in one message.

The dialect is YAML's own, minus what bites: only `true` and `false` are booleans (not `no` or `on`), numbers
are plain decimal ones, dates stay text, a key stands once, and there are no aliases, so that no file grows
when it is read.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

Location = tuple[str | int, ...]
"""Keys and list positions from the top of a document to a value."""

_MAX_BYTES = 1024 * 1024
_MAX_DEPTH = 40
_TAG = "tag:yaml.org,2002:"


class Place(NamedTuple):
    """Where something was written: a file and its line, or another source ("environment") and line 0."""

    source: str
    line: int


class Finding(NamedTuple):
    """One mistake. `text` says what is wrong and what to do; it holds no secret."""

    place: Place
    key: str
    text: str

    def __str__(self) -> str:
        source, line = self.place
        where = f"{source}:{line}" if line else source
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


class Document(NamedTuple):
    """What a file says. With `findings`, `values` holds what could be read all the same."""

    values: dict[str, Any]
    places: dict[Location, Place]
    findings: list[Finding]


def read_document(file: Path) -> Document:
    """Read a file whose top is a mapping; an empty file is an empty mapping. Blocks; raises nothing."""
    source = str(file)
    try:
        raw = file.read_bytes()
    except OSError as error:
        return _unreadable(Place(source, 0), f"the file can't be read: {error.strerror}")
    if len(raw) > _MAX_BYTES:
        return _unreadable(Place(source, 0), f"the file is larger than {_MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return _unreadable(Place(source, line), "the file is not UTF-8 text")
    return parse_document(source, text)


def parse_document(source: str, text: str) -> Document:
    """As `read_document`, from text; `source` names it in the findings."""
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _unreadable(Place(source, mark.line + 1 if mark else 0), _explain(error))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return _unreadable(Place(source, line), "the file holds a control character that YAML does not allow")
    if node is None:
        return Document({}, {(): Place(source, 1)}, [])
    reading = _Reading(source)
    values = reading.value(node, ())
    if not isinstance(values, dict):
        return _unreadable(
            Place(source, node.start_mark.line + 1), "the file must be a mapping of keys to values"
        )
    return Document(values, reading.places, reading.findings)


def _unreadable(place: Place, text: str) -> Document:
    return Document({}, {}, [Finding(place, "", text)])


def _explain(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "cause unknown"
    if isinstance(error, _Refusal):
        return problem
    if "'\\t'" in problem:
        return "a tab can't indent YAML: use spaces"
    if "but got '?'" in problem:
        return "inside brackets, text with a ? must be quoted"
    return f"not valid YAML: {problem}"


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """Composes nodes; constructs nothing."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int | yaml.Node | None) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            # Nested aliases grow a file of a few lines to billions of values.
            raise _refusal(event, "an alias (*name) is not allowed: write the value out")
        if self._depth == _MAX_DEPTH:
            raise _refusal(event, f"the nesting is deeper than {_MAX_DEPTH} levels")
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)  # type: ignore[arg-type]
        self._depth -= 1
        return node


class _Refusal(yaml.MarkedYAMLError):
    """YAML that is valid, and that this dialect leaves out."""


def _refusal(event: yaml.Event, problem: str) -> _Refusal:
    return _Refusal(problem=problem, problem_mark=event.start_mark)  # type: ignore[arg-type]


_SCALARS: dict[str, tuple[re.Pattern[str], list[str], Callable[[str], Any]]] = {
    "null": (re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""], lambda text: None),
    "bool": (re.compile(r"(?:true|false)\Z"), ["t", "f"], lambda text: text == "true"),
    "int": (re.compile(r"(?:0|-?[1-9][0-9]{0,17})\Z"), list("-0123456789"), int),
    "float": (
        re.compile(
            r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18}(?:[eE][-+]?[0-9]{1,2})?|[eE][-+]?[0-9]{1,2})\Z"
        ),
        list("-0123456789"),
        float,
    ),
}
"""By kind: what it looks like, its first characters, how to read it. What looks like none of them is text."""

for _kind, (_pattern, _first, _) in _SCALARS.items():
    _Loader.add_implicit_resolver(_TAG + _kind, _pattern, _first)


class _Reading:
    """One pass over the nodes of a file."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.places: dict[Location, Place] = {}
        self.findings: list[Finding] = []

    def value(self, node: yaml.Node, at: Location) -> Any:
        """The plain value of a node, its places noted."""
        self.places.setdefault(at, self._place(node))
        if not isinstance(node, yaml.ScalarNode) and node.tag not in (_TAG + "map", _TAG + "seq"):
            return self._unknown_tag(node, at)
        match node:
            case yaml.MappingNode():
                return self._mapping(node, at)
            case yaml.SequenceNode():
                return [self.value(item, (*at, position)) for position, item in enumerate(node.value)]
            case _:
                return self._scalar(node, at)

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._find(key_node, at, "a key must be plain text")
                continue
            key = str(key_node.value)
            here = (*at, key)
            if key in values:
                self._find(
                    key_node, here, f"the key stands here twice, first on line {self.places[here].line}"
                )
                continue
            self.places[here] = self._place(key_node)
            values[key] = self.value(value_node, here)
        return values

    def _scalar(self, node: yaml.Node, at: Location) -> Any:
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return node.value
        if kind in _SCALARS:
            pattern, _, read = _SCALARS[kind]
            if pattern.match(node.value):
                return read(node.value)
        return self._unknown_tag(node, at)

    def _unknown_tag(self, node: yaml.Node, at: Location) -> None:
        tag = str(node.tag).replace(_TAG.rpartition(":")[0] + ":", "!!")
        self._find(node, at, f"the tag {tag} is not allowed")

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._source, node.start_mark.line + 1)

    def _find(self, node: yaml.Node, at: Location, text: str) -> None:
        self.findings.append(Finding(self._place(node), ".".join(map(str, at)), text))
