"""One route, compiled: from an opened record to its answer."""

from collections.abc import Callable

from consumer.endpoints.endpoint import Invalid
from consumer.topology.boxes import Boxes, BoxPlan
from consumer.topology.claims import compile_key, compile_once
from consumer.topology.computed import Undecided
from consumer.topology.conditions import Test, compile_all
from consumer.topology.expression import Computed
from consumer.topology.mapping import compile_mapping
from consumer.topology.model import RouteModel, WhenModel
from consumer.topology.plan import Dropped, Matched, Route, Routed, Unmapped
from consumer.types import Record

Apply = Callable[[Boxes, Record], Routed | None]
"""None: the record is not this route's."""


def takes_type(when: WhenModel | None, type_name: str | None) -> bool:
    """Whether records of this type (its full name, if any) can match; `type` has names short or in full."""
    if when is None or when.type is None:
        return True
    return type_name is not None and (type_name in when.type or type_name.rpartition(".")[2] in when.type)


def compile_route(
    route: Route, model: RouteModel, account: str, user: list[str], type_name: str | None, boxes: BoxPlan
) -> Apply:
    """Compile a route for records of one type. In this order: when, drop, map and encode, key, once."""

    def refuse(reason: str, field: str) -> Unmapped:
        return Unmapped(route, reason, field)

    when = _conditions(model.when, boxes)
    drops = tuple(
        (_conditions(drop, boxes) or _always, Dropped(route, drop.reason))
        for drop in model.drop
        if takes_type(drop, type_name)
    )
    build = compile_mapping(model.map, boxes, refuse)
    encode = route.operation.encode
    key_of = compile_key(model.key, account, route.id, boxes, refuse)
    once_of = compile_once(model.once, account, user, boxes, refuse) if model.once else None

    def apply(opened: Boxes, record: Record) -> Routed | None:
        if when is not None and not when(opened):
            return None
        for test, dropped in drops:
            if test(opened):
                return dropped
        fields = build(opened)
        if isinstance(fields, Unmapped):
            return fields
        body = encode(fields)
        if isinstance(body, Invalid):
            return Unmapped(route, body.reason, body.field)
        key = key_of(opened, record)
        if isinstance(key, Unmapped):
            return key
        once = None if once_of is None else once_of(opened, record)
        return once if isinstance(once, Unmapped) else Matched(route, body, key, once)

    if not _computes(model):
        return apply

    def apply_decided(opened: Boxes, record: Record) -> Routed | None:
        try:
            return apply(opened, record)
        except Undecided as undecided:
            # Neither taken nor passed over: whoever wrote the condition has to say what it means for this record.
            return refuse(undecided.reason, "when or drop")

    return apply_decided


def _computes(model: RouteModel) -> bool:
    whens = [*model.drop, *([model.when] if model.when else [])]
    return any(
        isinstance(condition, Computed)
        for when in whens
        for condition in (*(when.where or ()), *(when.unless or ()))
    )


def _conditions(when: WhenModel | None, boxes: BoxPlan) -> Test | None:
    where = compile_all(when.where, boxes) if when and when.where else None
    unless = compile_all(when.unless, boxes) if when and when.unless else None
    if unless is None:
        return where
    if where is None:
        return lambda opened: not unless(opened)
    return lambda opened: where(opened) and not unless(opened)


def _always(opened: Boxes) -> bool:
    return True
