"""The way in: from a directory of files to a plan, or to every mistake in them."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from consumer.clock import Clock, SystemClock
from consumer.core.cluster import RETENTION_MS
from consumer.endpoints.catalogue import APIS
from consumer.endpoints.endpoint import Operation
from consumer.errors import ConfigurationError
from consumer.settings.document import Document, Finding, Location
from consumer.settings.mistakes import findings_of, locate, nearest
from consumer.settings.units import show_duration
from consumer.topology.advice import advice_on
from consumer.topology.avro_schema import AvroSchema, read_schema, schema_file
from consumer.topology.destination import Built, Catalogue, Surroundings, build_destination
from consumer.topology.directory import SECTIONS, names_of, read_directory, version_of
from consumer.topology.isolate import only_to
from consumer.topology.model import BRANCHES, RouteModel, TopicModel, TopologyModel
from consumer.topology.plan import Plan, Route, Topic
from consumer.topology.recipe import Recipes
from consumer.topology.router import RouteSource, compile_router, compile_user_of
from consumer.topology.validate import mistakes_in, operation_of


def load_plan(
    directory: Path,
    environment: Mapping[str, str],
    *,
    schemas: Path | None = None,
    resolve: bool = True,
    allow_plain_http: bool = False,
    only: str | None = None,
    clock: Clock | None = None,
    catalogue: Catalogue = APIS,
) -> Plan:
    """Read, check and compile all `*.yaml` files of a directory. Blocks on the files.

    environment: what references in the files lead to; never the process's own unless it is handed in.
    schemas: where the topics' `.avsc` files are, if not beside the topology's.
    resolve: False leaves credentials unread and unset base URLs as they stand: to look at a plan, not to run.
    only: the plan has this destination alone, the routes to it, and the topics that they are from. All is checked.

    Raises ConfigurationError with every mistake of all files, in their order.
    """
    document = read_directory(directory)
    if any(not finding.key for finding in document.findings):
        # A file that can't be read takes half the names with it: what is missed for that is no mistake.
        raise _error(document.findings)
    topology, findings = _parse(document)
    around = Surroundings(environment, catalogue, clock or SystemClock(), resolve, allow_plain_http)
    built = {name: build_destination(name, model, around) for name, model in topology.destinations.items()}
    known, mistakes = _read_schemas(topology.topics, [directory] + ([schemas] if schemas else []))
    for name, destination in built.items():
        mistakes += [(("destinations", name, *at), text) for at, text in destination.mistakes]
    operations = {
        name: destination.operations for name, destination in built.items() if destination.operations
    }
    defined = {section: names_of(document, section).keys() for section in SECTIONS}
    mistakes += mistakes_in(topology, defined, operations, known)
    findings += [Finding(*locate(document, at), text) for at, text in mistakes]
    if findings:
        raise _error(findings)
    if only is not None:
        topology = only_to(only, topology, directory)
        built = {only: built[only]}
    return _compile(topology, built, known, version_of(document))


def _parse(document: Document) -> tuple[TopologyModel, list[Finding]]:
    """The sound part of the topology, so that its other mistakes are found as well; and what is unsound."""
    try:
        return TopologyModel.model_validate(document.values), document.findings
    except ValidationError as error:
        findings = document.findings + findings_of(error, TopologyModel, document, BRANCHES)
        values = _without_unknown_keys(document.values, error)
    try:
        return TopologyModel.model_validate(values), findings
    except ValidationError as error:
        unsound = {detail["loc"][:2] for detail in error.errors()}
    sound = {
        section: {
            name: value
            for name, value in names_of(document, section).items()
            if (section, name) not in unsound
        }
        for section in SECTIONS
    }
    return TopologyModel.model_validate(sound), findings


def _without_unknown_keys(values: dict[str, Any], error: ValidationError) -> dict[str, Any]:
    """A copy in which topics and destinations have no unknown keys: routes can be held against their rest.

    Not so for routes: one whose `when` is misspelt would be blamed for records that it is not meant for.
    """
    copy = deepcopy(values)
    for detail in error.errors():
        section, *way = detail["loc"]
        if detail["type"] == "extra_forbidden" and section in ("topics", "destinations"):
            holder: Any = copy[section]
            for part in way[:-1]:
                holder = holder[part]
            del holder[way[-1]]
    return copy


def _error(findings: list[Finding]) -> ConfigurationError:
    return ConfigurationError([str(finding) for finding in sorted(findings)])


def _read_schemas(
    topics: Mapping[str, TopicModel], folders: list[Path]
) -> tuple[dict[str, AvroSchema], list[tuple[Location, str]]]:
    known: dict[str, AvroSchema] = {}
    mistakes: list[tuple[Location, str]] = []
    for name, topic in topics.items():
        if topic.schema_ is None:
            continue
        file = schema_file(topic.schema_, folders)
        if file is None:
            stems = {path.stem for folder in folders for path in folder.glob("*.avsc")}
            nowhere = f": no *.avsc file is in {' or '.join(map(str, folders))}"
            near = nearest(topic.schema_, stems) if stems else nowhere
            text = f"there is no {topic.schema_}.avsc{near}"
            mistakes.append((("topics", name, "schema"), text))
            continue
        try:
            known[name] = read_schema(file)
        except ValueError as error:
            mistakes.append((("topics", name, "schema"), f"{file} {error}"))
    return known, mistakes


def _compile(
    topology: TopologyModel, built: Mapping[str, Built], schemas: Mapping[str, AvroSchema], version: str
) -> Plan:
    destinations = {name: part.destination for name, part in built.items() if part.destination is not None}
    sources: dict[str, list[RouteSource]] = {name: [] for name in topology.topics}
    routed: dict[str, tuple[RouteModel, Operation]] = {}
    for name, model in topology.routes.items():
        route = _route(name, model, built)
        routed[name] = model, route.operation
        sources[route.topic].append(RouteSource(route, model, destinations[route.destination].account))
    whole_types = {name: schema.name for name, schema in schemas.items()}
    return Plan(
        version=version,
        topics={name: _topic(name, model) for name, model in topology.topics.items()},
        destinations=destinations,
        routes=tuple(source.route for group in sources.values() for source in group),
        routers={
            name: compile_router(model, whole_types.get(name), sources[name])
            for name, model in topology.topics.items()
        },
        users={name: compile_user_of(model) for name, model in topology.topics.items()},
        plain_routes={
            name: Recipes(model, whole_types.get(name), sources[name])
            for name, model in topology.topics.items()
        },
        notes=advice_on(routed),
    )


def _route(name: str, model: RouteModel, built: Mapping[str, Built]) -> Route:
    operation = operation_of(model, {key: part.operations for key, part in built.items()})
    assert not isinstance(operation, str), "routes are compiled only after they were validated"
    return Route(
        id=name,
        topic=model.from_,
        destination=model.to.partition("/")[0],
        operation=operation,
        ordered=model.ordering == "key",
        types=tuple(model.when.type or ()) if model.when else (),
        window=_window(model),
    )


def _window(model: RouteModel) -> str:
    if model.once is None:
        return ""
    return "ever" if model.once.window is None else show_duration(model.once.window)


def _topic(name: str, model: TopicModel) -> Topic:
    return Topic(
        name=name,
        partitions=model.partitions,
        replication=model.replication,
        start=model.start,
        on_gap=model.on_gap,
        dead_letters=model.dead_letters or f"{name}.dead-letters",
        configs=model.configs
        if model.retention is None
        else {**model.configs, RETENTION_MS: str(model.retention)},
        schema=model.schema_,
        subject=model.subject or f"{name}-value",
        compatibility=model.compatibility,
        payload_field=model.payload_field,
        user=tuple(model.user),
    )
