"""All routes from a topic, compiled into one function that asks a record for its type first."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from consumer.topology.boxes import Box, Boxes, BoxPlan
from consumer.topology.claims import compile_user
from consumer.topology.model import RouteModel, TopicModel
from consumer.topology.paths import parse_path
from consumer.topology.plan import Route, Routed, Router, UserOf
from consumer.topology.route import Apply, compile_route, takes_type
from consumer.types import Record

_MOST_TYPES = 1_000
"""Type names come with the records' schemas: what is remembered of them must be bounded."""


class RouteSource(NamedTuple):
    """What a route is compiled from."""

    route: Route
    model: RouteModel
    account: str


class _Group(NamedTuple):
    """The routes for records of one type."""

    open_boxes: Callable[[Box], Boxes]
    routes: tuple[Apply, ...]


class RoutesByType(dict[str | None, _Group]):
    """The compiled routes for each type of record: compiled when the first record of it comes."""

    def __init__(self, topic: TopicModel, sources: Sequence[RouteSource]) -> None:
        super().__init__()
        self._topic = topic
        self._sources = sources

    def __missing__(self, type_name: str | None) -> _Group:
        boxes = BoxPlan()
        routes = tuple(
            compile_route(source.route, source.model, source.account, self._topic.user, type_name, boxes)
            for source in self._sources
            if takes_type(source.model.when, type_name)
        )
        group = _Group(boxes.opener(), routes)
        if len(self) < _MOST_TYPES:
            self[type_name] = group
        return group


def compile_router(topic: TopicModel, whole_type: str | None, sources: Sequence[RouteSource]) -> Router:
    """Compile the routes from a topic.

    whole_type: the name of the whole record, if it is known: decoded records do not tell theirs.
    """
    by_type = RoutesByType(topic, sources)
    type_of = _type_reader(topic, whole_type)

    def route(datum: Box, record: Record) -> list[Routed]:
        open_boxes, routes = by_type[type_of(datum)]
        opened = open_boxes(datum)
        answers = []
        for apply in routes:
            answer = apply(opened, record)
            if answer is not None:
                answers.append(answer)
        return answers

    return route


def compile_user_of(topic: TopicModel) -> UserOf:
    """Compile a topic's `user` for records as they are decoded."""
    boxes = BoxPlan()
    user = compile_user(topic.user, boxes)
    open_boxes = boxes.opener()
    return lambda datum: user(open_boxes(datum))


def _type_reader(topic: TopicModel, whole_type: str | None) -> Callable[[Box], str | None]:
    """The full name of the record in the payload union, else of the whole record."""
    if topic.payload_field is None:
        return lambda datum: whole_type
    path = parse_path(topic.payload_field)
    boxes = BoxPlan()
    box, name = boxes.spot(path)
    open_boxes = boxes.opener()

    def type_in_field(datum: Box) -> str | None:
        value = datum.get(name)
        return value[0] if value.__class__ is tuple else whole_type

    def type_below(datum: Box) -> str | None:
        value = open_boxes(datum)[box].get(name)
        return value[0] if value.__class__ is tuple else whole_type

    return type_below if path.prefix else type_in_field
