"""Two ways from a record's bytes to the answers of its routes: native code's must be Python's, or there are none."""

from collections.abc import Mapping, Sequence
from typing import Any

from consumer.avro.compiled import fastavro_reader
from consumer.avro.native import Makes, Native, Shortcut, find_native
from consumer.avro.undecodable import Undecodable
from consumer.clock import ManualClock
from consumer.core.claims import Once
from consumer.endpoints.catalogue import APIS
from consumer.endpoints.fields import as_json
from consumer.pipeline.shortcuts import records_in
from consumer.topology.model import RouteModel, TopicModel
from consumer.topology.plan import Matched, Route, Routed
from consumer.topology.recipe import Recipes
from consumer.topology.router import RouteSource, compile_router
from consumer.types import Record
from tests.contract.readers.conftest import hardened

NATIVE = find_native()
collect_ignore_glob = [] if isinstance(NATIVE, Native) else ["test_*.py"]  # scripts/test says so, in one line

KEY = b"ada"
_CLOCK = ManualClock()


def route_of(name: str, model: RouteModel) -> Route:
    """A route to `api/operation`, whatever else a topology would say."""
    api, _, operation = model.to.partition("/")
    entries = APIS[api]
    built = (entries[operation] if operation else next(iter(entries.values()))).build(_CLOCK, {})
    return Route(name, model.from_, api, built, ordered=True, types=(), window="")


class Ways:
    """Both, for records of one schema and some routes."""

    def __init__(self, schema: Any, routes: Sequence[Mapping[str, Any]], **topic: Any) -> None:
        reader = hardened(schema)
        models = [RouteModel.model_validate({"from": "t", **route}) for route in routes]
        sources = [
            RouteSource(route_of(f"r{number}", model), model, "account")
            for number, model in enumerate(models)
        ]
        of = TopicModel.model_validate({"payload_field": None, **topic})
        self.recipes = Recipes(of, schema["name"], sources)
        self._read = fastavro_reader(reader)
        self._route = compile_router(of, schema["name"], sources)
        self.shortcut = self._made(reader)

    def _made(self, reader: dict[str, Any]) -> Shortcut | None:
        assert isinstance(NATIVE, Native)
        by_type = self.recipes.by_type(records_in(reader))
        try:
            makes = Makes(Matched, Once, as_json)
            return NATIVE.shortcut(reader, by_type, self.recipes.type_at, makes) if by_type else None
        except ValueError:
            return None

    def by_python(self, payload: bytes, key: bytes = KEY) -> list[Routed] | Undecodable:
        """What is true."""
        try:
            datum, end = self._read(payload, 0)
        except Exception:
            return Undecodable("")
        if end != len(payload):
            return Undecodable("")
        return self._route(datum, Record("t", 0, 1, 0, key, payload, None))

    def by_native(self, payload: bytes, key: bytes = KEY) -> list[Routed] | None:
        """None: it leaves it to Python."""
        return None if self.shortcut is None else self.shortcut(payload, 0, key)

    def agree(self, payload: bytes, key: bytes = KEY) -> bool:
        """Holds them against each other; gives whether native code had an answer."""
        native = self.by_native(payload, key)
        if native is not None:
            assert native == self.by_python(payload, key)
        return native is not None
