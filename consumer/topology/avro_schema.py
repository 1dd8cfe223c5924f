"""Which paths exist in the records of a topic, by their `.avsc` file: a misspelt one is found at once."""

import json
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from consumer.topology.paths import Path

_Node = Any
"""A schema as JSON has it: a name, a union (list) or a definition (dict)."""

_NAMED = ("record", "error", "enum", "fixed")
_INNER = {"array": "items", "map": "values"}


class Lack(NamedTuple):
    """A name that does not exist where a path asks for it, and those that do."""

    step: str
    known: list[str]


class Leaf(NamedTuple):
    """What a value can be: an Avro type's name (a logical type's own where it has one), and an enum's symbols."""

    kind: str
    symbols: tuple[str, ...]


class AvroSchema:
    """One record schema. Names that it uses are defined in the same file."""

    def __init__(self, root: _Node) -> None:
        self._named: dict[str, tuple[_Node, str]] = {}
        self._collect(root, "")
        self._root = root
        self.name = _full_name(root, "")

    def types(self, payload: Path | None) -> list[str]:
        """The full names of the records that the payload's union can hold; without one, the whole's."""
        found = self._at(payload.steps) if payload else []
        branches = [_full_name(node, space) for node, space in found if _is_record(node)]
        return branches if len(found) > 1 else [self.name]

    def lacking(self, path: Path, payload: Path | None, type_name: str | None) -> Lack | None:
        """None where the path exists, else its first step that does not.

        type_name: only in records whose payload is of this type (a full name).
        """
        nodes = [(self._root, "")]
        for number, step in enumerate(path.steps):
            nodes = self._narrowed(nodes, path.steps[:number], payload, type_name)
            following = [inner for node in nodes for inner in self._step(*node, step)]
            if not following:
                known = [field["name"] for node, _ in nodes if _is_record(node) for field in node["fields"]]
                return Lack(step, known)
            nodes = following
        return None

    def leaves(self, path: Path, payload: Path | None, type_name: str | None) -> list[Leaf]:
        """What a value there can be, null left out; none where the path does not exist."""
        nodes = [(self._root, "")]
        for number, step in enumerate(path.steps):
            nodes = self._narrowed(nodes, path.steps[:number], payload, type_name)
            nodes = [inner for node in nodes for inner in self._step(*node, step)]
        return [leaf for node, _ in nodes if (leaf := _leaf(node)).kind != "null"]

    def _narrowed(
        self,
        nodes: list[tuple[_Node, str]],
        walked: tuple[str, ...],
        payload: Path | None,
        type_name: str | None,
    ) -> list[tuple[_Node, str]]:
        """Where the payload was reached, only its branch of this type."""
        if payload is None or type_name is None or walked != payload.steps:
            return nodes
        return [node for node in nodes if _full_name(*node) == type_name] or nodes

    def _at(self, steps: Iterable[str]) -> list[tuple[_Node, str]]:
        nodes = [(self._root, "")]
        for step in steps:
            nodes = [inner for node in nodes for inner in self._step(*node, step)]
        return nodes

    def _step(self, node: _Node, space: str, step: str) -> list[tuple[_Node, str]]:
        """The types that a value of this name can have, unions taken apart; none if there is no such name."""
        if not isinstance(node, dict):
            return []
        if node.get("type") == "map":
            return self._members(node["values"], space)
        inner_space = _full_name(node, space).rpartition(".")[0]
        return [
            member
            for field in (node["fields"] if _is_record(node) else ())
            if field["name"] == step
            for member in self._members(field["type"], inner_space)
        ]

    def _members(self, node: _Node, space: str) -> list[tuple[_Node, str]]:
        if isinstance(node, list):
            return [member for branch in node for member in self._members(branch, space)]
        if isinstance(node, str):
            known = self._named.get(node) or self._named.get(f"{space}.{node}")
            return [known or (node, space)]
        if isinstance(node, dict) and isinstance(node.get("type"), dict | list):
            return self._members(node["type"], space)
        return [(node, space)]

    def _collect(self, node: _Node, space: str) -> None:
        """Raises KeyError or TypeError for a definition that lacks a part."""
        if isinstance(node, list):
            for branch in node:
                self._collect(branch, space)
        elif isinstance(node, dict):
            kind = node["type"]
            if kind in _NAMED:
                _require_text(node["name"])
                name = _full_name(node, space)
                self._named[name] = (node, space)
                space = name.rpartition(".")[0]
            for field in node["fields"] if _is_record(node) else ():
                _require_text(field["name"])
                self._collect(field["type"], space)
            inner = _INNER.get(kind) if isinstance(kind, str) else None
            self._collect(kind if inner is None else node[inner], space)


def schema_file(name: str, folders: Iterable[FilePath]) -> FilePath | None:
    """`<name>.avsc` in the first of these folders that has it. Blocks."""
    return next((file for folder in folders if (file := folder / f"{name}.avsc").is_file()), None)


def read_schema(file: FilePath) -> AvroSchema:
    """Read an `.avsc` file. Blocks; raises ValueError, in words, for one that holds no record schema."""
    try:
        root = json.loads(file.read_text("utf-8"))
        if not _is_record(root):
            raise ValueError("is no record schema")
        return AvroSchema(root)
    except OSError as error:
        raise ValueError(f"can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise ValueError("is nested too deep") from None
    except (KeyError, TypeError, AttributeError):
        raise ValueError("is JSON, and no Avro schema: `schema lint` says more") from None


def _require_text(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError("a name that is no text")


def _is_record(node: _Node) -> bool:
    return isinstance(node, dict) and node.get("type") in ("record", "error")


def _leaf(node: _Node) -> Leaf:
    if not isinstance(node, dict):
        return Leaf(str(node), ())
    kind = node.get("logicalType") or node["type"]
    return Leaf(str(kind), tuple(map(str, node.get("symbols", ()))) if node["type"] == "enum" else ())


def _full_name(node: _Node, space: str = "") -> str:
    if not isinstance(node, dict) or "name" not in node:
        return ""
    name = str(node["name"])
    if "." in name:
        return name
    space = node.get("namespace", space)
    return f"{space}.{name}" if space else name
