"""What no key can be wrong about alone: names that must exist elsewhere, APIs' fields and limits, paths."""

from collections.abc import Collection, Iterator, Mapping

from consumer.endpoints.endpoint import Operation
from consumer.settings.document import Location
from consumer.settings.mistakes import nearest
from consumer.topology.avro_schema import AvroSchema
from consumer.topology.expression import Computed, ComputedField, Constant, Expression, Lookup
from consumer.topology.model import DestinationModel, RouteModel, TopicModel, TopologyModel, WhenModel
from consumer.topology.paths import Path, parse_path
from consumer.topology.paths_used import paths_of
from consumer.topology.reach import against_leaf, unreachable
from consumer.topology.specimen import fault_of

Mistake = tuple[Location, str]
"""Where, and what is wrong; may be given for a key that the file does not have."""

Operations = Mapping[str, Mapping[str, Operation]]
"""By destination and name, of those destinations that could be built."""

Defined = Mapping[str, Collection[str]]
"""The names that each section defines, also those of what is unsound: who refers to one makes no mistake."""


def mistakes_in(
    topology: TopologyModel, defined: Defined, operations: Operations, schemas: Mapping[str, AvroSchema]
) -> Iterator[Mistake]:
    """Every mistake in a topology that may lack what is unsound by itself. schemas: those known, by topic."""
    for name, topic in topology.topics.items():
        letters = topic.dead_letters or f"{name}.dead-letters"
        if letters in defined["topics"]:
            yield (
                ("topics", name, "dead_letters"),
                f"{letters} is itself read: its letters would come round for ever",
            )
        if not _is_read(name, topology, defined):
            yield ("topics", name), "no route is from this topic: all of its records would be passed over"
    for name, destination in topology.destinations.items():
        if name in operations:
            for at, text in _of_batch(destination, operations[name]):
                yield ("destinations", name, *at), text
    for name, route in topology.routes.items():
        for at, text in _of_route(route, topology, defined, operations, schemas):
            yield ("routes", name, *at), text


def operation_of(route: RouteModel, operations: Operations) -> Operation | str:
    """The operation that `to` names, or what is wrong with it."""
    destination, _, name = route.to.partition("/")
    known = operations.get(destination, {})
    if not name and len(known) == 1:
        return next(iter(known.values()))
    if not name:
        return f"needs an operation: write {destination}/ and one of {', '.join(sorted(known))}"
    if name not in known:
        return f"{destination} has no operation {name}" + nearest(name, known)
    return known[name]


def _is_read(topic: str, topology: TopologyModel, defined: Defined) -> bool:
    """Whether a route is from this topic, or may be meant to: an unsound or misspelt one could be."""
    sources = {route.from_ for route in topology.routes.values()}
    in_doubt = len(topology.routes) < len(defined["routes"]) or not sources.issubset(defined["topics"])
    return topic in sources or in_doubt


def _of_batch(destination: DestinationModel, operations: Mapping[str, Operation]) -> Iterator[Mistake]:
    items = max(operation.max_items for operation in operations.values())
    size = max(operation.max_body_bytes for operation in operations.values())
    batch = destination.batch
    if batch.max_items is not None and batch.max_items > items:
        yield ("batch", "max_items"), f"is more than {destination.api} takes: at most {items}"
    if batch.max_bytes is not None and batch.max_bytes > size:
        yield ("batch", "max_bytes"), f"is more than {destination.api} takes: at most {size} bytes"


def _of_route(
    route: RouteModel,
    topology: TopologyModel,
    defined: Defined,
    operations: Operations,
    schemas: Mapping[str, AvroSchema],
) -> Iterator[Mistake]:
    destination = route.to.partition("/")[0]
    if destination not in defined["destinations"]:
        yield (
            ("to",),
            f"there is no destination {destination}" + nearest(destination, defined["destinations"]),
        )
    elif destination in operations:
        match operation_of(route, operations):
            case str(text):
                yield ("to",), text
            case operation:
                yield from _of_map(route.map, operation)
    topic = topology.topics.get(route.from_)
    yield from unreachable(route, _types_of(topic, schemas.get(route.from_)))
    if route.from_ not in defined["topics"]:
        yield ("from",), f"there is no topic {route.from_}" + nearest(route.from_, defined["topics"])
    elif topic is None:
        return
    elif route.from_ in schemas:
        yield from _against_schema(route, topic, schemas[route.from_])
    elif topic.payload_field is None and any(when.type for _, when in _whens(route)):
        yield (
            ("when", "type"),
            f"can't be known: topic {route.from_} has neither a payload_field nor a schema",
        )


def _of_map(fields: Mapping[str, Expression], operation: Operation) -> Iterator[Mistake]:
    unknown = [name for name in fields if name not in operation.fields]
    absent = sorted(operation.required - fields.keys())
    optional = [name for name in fields if name in operation.required and _may_be_absent(fields[name])]
    for name in unknown:
        yield (
            ("map", name),
            f"{operation.name} has no field {name}" + nearest(name, operation.fields - fields.keys()),
        )
    for name in absent:
        yield ("map", name), f"is required by {operation.name} and not mapped"
    for name in optional:
        yield ("map", name), f"is required by {operation.name}: leave out the ?, or give a default"
    if unknown or absent:
        return
    fault = fault_of(operation, fields)
    if fault is not None:
        at = ("map", *filter(None, fault.field.split(".")))
        yield at, f"{operation.name} would refuse every item: {fault.reason}{_near_pair(fields, operation)}"


def _near_pair(fields: Mapping[str, Expression], operation: Operation) -> str:
    """The registered pair that was meant, where feature and action are constants and no pair."""
    pairs: Collection[tuple[str, str]] = getattr(operation, "pairs", ())
    given = [fields.get(name) for name in ("feature", "action")]
    texts = [one.const for one in given if isinstance(one, Constant) and isinstance(one.const, str)]
    if len(texts) < 2 or tuple(text.lower() for text in texts) in pairs:
        return ""
    return nearest("/".join(texts), ["/".join(pair) for pair in pairs])


def _may_be_absent(expression: Expression) -> bool:
    match expression:
        case str():
            return expression.endswith("?")
        case Lookup():
            return expression.may_be_absent
        case ComputedField():
            return expression.optional
        case _:
            return False


def _whens(route: RouteModel) -> Iterator[tuple[Location, WhenModel]]:
    if route.when is not None:
        yield ("when",), route.when
    for position, drop in enumerate(route.drop):
        yield ("drop", position), drop


def _payload_of(topic: TopicModel, schema: AvroSchema) -> Path | None:
    payload = parse_path(topic.payload_field) if topic.payload_field else None
    return None if payload is None or schema.lacking(payload, None, None) else payload


def _types_of(topic: TopicModel | None, schema: AvroSchema | None) -> list[str] | None:
    return None if topic is None or schema is None else schema.types(_payload_of(topic, schema))


def _against_schema(route: RouteModel, topic: TopicModel, schema: AvroSchema) -> Iterator[Mistake]:
    payload = _payload_of(topic, schema)
    full_names = schema.types(payload)
    for at, when in _whens(route):
        for position, name in enumerate(when.type or ()):
            if not _named(full_names, [name]):
                short = [full.rpartition(".")[2] for full in full_names]
                yield (*at, "type", position), f"the schema has no record {name} there" + nearest(name, short)
    own = route.when.type if route.when is not None else None
    for at, path, types in paths_of(route):
        wanted = _named(full_names, types or own)
        text = _missing(schema, path, payload, wanted) if wanted else None
        if text is not None:
            yield at, text
    for at, when in _whens(route):
        wanted = _named(full_names, when.type or own)
        for word, conditions in (("where", when.where), ("unless", when.unless)):
            for position, condition in enumerate(conditions or ()):
                if isinstance(condition, Computed):
                    continue
                path = parse_path(condition.path)
                leaves = [leaf for name in wanted for leaf in schema.leaves(path, payload, name)]
                text = against_leaf(condition, path, leaves)
                if text is not None:
                    yield (*at, word, position), text


def _named(full_names: list[str], wanted: list[str] | None) -> list[str]:
    if wanted is None:
        return full_names
    return [full for full in full_names if full in wanted or full.rpartition(".")[2] in wanted]


def _missing(schema: AvroSchema, path: Path, payload: Path | None, types: list[str]) -> str | None:
    """A path that may be absent has to exist in the records of some type, another in those of all."""
    lacks = {name: lack for name in types if (lack := schema.lacking(path, payload, name)) is not None}
    if not lacks or (path.optional and len(lacks) < len(types)):
        return None
    hint = nearest(
        next(iter(lacks.values())).step, {known for lack in lacks.values() for known in lack.known}
    )
    if len(lacks) == len(types) > 1:
        return f"no record has {path}{hint}"
    return f"records of type {next(iter(lacks)).rpartition('.')[2]} have no {path}{hint}"
