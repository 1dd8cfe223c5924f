"""What a hardened schema consists of."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from consumer.avro.guards import Parsed


class Census(NamedTuple):
    """What a schema consists of, each record looked into once: names may unfold to billions."""

    types: int
    uses: Mapping[str, int]
    """How often each record is referred to."""


def census(schema: Parsed) -> Census:
    """Count a hardened schema's types."""
    types, uses = 0, Counter[str]()
    left = [schema]
    while left:
        one = left.pop()
        types += 1
        if kind_of(one) == "record":
            uses[one["name"]] += 1
            if uses[one["name"]] > 1:
                continue
        left += _inner(one)
    return Census(types, uses)


def kind_of(schema: Parsed) -> str:
    """The name of the type: string, record, union …"""
    return str(schema["type"] if isinstance(schema, dict) else schema)


def branches_of(union: Parsed) -> list[Parsed]:
    """A union's branches, in order of their indexes, which are keys among others in a hardened schema."""
    return [branch for index, branch in union.items() if isinstance(index, int)]


def _inner(schema: Parsed) -> list[Parsed]:
    match kind_of(schema):
        case "record":
            return [field["type"] for field in schema["fields"]]
        case "union":
            return branches_of(schema)
        case "array":
            return [schema["items"]]
        case "map":
            return [schema["values"]]
    return []
