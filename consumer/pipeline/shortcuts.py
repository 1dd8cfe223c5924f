"""From a record's bytes to the answers of its routes in one step: where native code is installed, and all is plain."""

from collections.abc import Mapping
from typing import Any

from consumer.avro.decoder import Decoder
from consumer.avro.native import Makes, Native, Shortcut
from consumer.core.claims import Once
from consumer.endpoints.fields import as_json
from consumer.topology.plan import Matched, PlainRoutes, Plan

_MOST_SCHEMAS = 1_000
"""Schema ids come with the records: what is remembered of them must be bounded."""

_MAKES = Makes(Matched, Once, as_json)


class Shortcuts:
    """Of one decoder, and of the plan that was last asked for."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._plan: Plan | None = None
        self._by_topic: dict[str, _BySchema] = {}

    def of(self, plan: Plan, topic: str) -> Mapping[bytes, Shortcut | None] | None:
        """By schema id, for ids that the decoder has loaded; None where there is none at all."""
        native, routes = self._decoder.native, plan.plain_routes.get(topic)
        if native is None or routes is None:
            return None
        if plan is not self._plan:
            self._plan = plan
            self._by_topic.clear()
        found = self._by_topic.get(topic)
        if found is None:
            found = self._by_topic[topic] = _BySchema(self._decoder, native, routes)
        return found


class _BySchema(dict[bytes, Shortcut | None]):
    """Made when the first record with a schema comes."""

    def __init__(self, decoder: Decoder, native: Native, routes: PlainRoutes) -> None:
        super().__init__()
        self._decoder = decoder
        self._native = native
        self._routes = routes

    def __missing__(self, schema_id: bytes) -> Shortcut | None:
        if len(self) >= _MOST_SCHEMAS:
            self.clear()
        shortcut = self[schema_id] = self._made(self._decoder.schema(schema_id))
        return shortcut

    def _made(self, schema: dict[str, Any]) -> Shortcut | None:
        by_type = self._routes.by_type(records_in(schema))
        try:
            return self._native.shortcut(schema, by_type, self._routes.type_at, _MAKES) if by_type else None
        except Exception:  # of any type: what it has no shortcut for is for it alone to say
            return None


def records_in(schema: dict[str, Any]) -> set[str]:
    """The names of all records of a hardened schema. Looks at each once: what forty types use twice each would be
    walked 2⁴⁰ times."""
    names: set[str] = set()
    rest: list[Any] = [schema]
    while rest:
        one = rest.pop()
        if not isinstance(one, dict):
            continue
        match one["type"]:
            case "record":
                if one["name"] not in names:
                    names.add(one["name"])
                    rest += [field["type"] for field in one["fields"]]
            case "array":
                rest.append(one["items"])
            case "map":
                rest.append(one["values"])
            case "union":
                rest += one.values()
    return names
