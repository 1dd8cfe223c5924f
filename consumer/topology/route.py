"""One route, compiled: from an opened record to its answer."""

from collections.abc import Callable

from consumer.endpoints.endpoint import Invalid
from consumer.topology.boxes import Boxes, BoxPlan
from consumer.topology.claims import key_lines, once_lines
from consumer.topology.computed import Undecided
from consumer.topology.conditions import all_hold
from consumer.topology.expression import Computed
from consumer.topology.mapping import Refuse, mapping_lines
from consumer.topology.model import RouteModel, WhenModel
from consumer.topology.plan import Dropped, Matched, Route, Routed, Unmapped
from consumer.topology.source import Source
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

    source = Source()
    lines: list[str] = []
    if (when := _holds(model.when, boxes, source)) is not None:
        lines.append(f"if not ({when}): return None")
    for drop in model.drop:
        if takes_type(drop, type_name):
            dropped = source.constant("dropped", Dropped(route, drop.reason))
            lines.append(f"if {_holds(drop, boxes, source) or 'True'}: return {dropped}")
    lines += mapping_lines(model.map, boxes, source, refuse, "fields")
    lines.append(f"body = {source.constant('encode', route.operation.encode)}(fields)")
    refused = source.constant("refused", lambda invalid: refuse(invalid.reason, invalid.field))
    lines.append(f"if body.__class__ is {source.constant('Invalid', Invalid)}: return {refused}(body)")
    lines += key_lines(model.key, account, route.id, boxes, source, refuse)
    if model.once:
        lines += once_lines(model.once, account, user, boxes, source, refuse)
    matched, ours = source.constant("Matched", Matched), source.constant("route", route)
    lines.append(f"return {matched}({ours}, body, key, {'once' if model.once else None})")
    apply: Apply = source.function(lines)
    return _decided(apply, refuse) if _computes(model) else apply


def _decided(apply: Apply, refuse: Refuse) -> Apply:
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


def _holds(when: WhenModel | None, boxes: BoxPlan, source: Source) -> str | None:
    """The expression that is true for a record that is meant; None: every one is."""
    where = all_hold(when.where, boxes, source) if when and when.where else None
    unless = all_hold(when.unless, boxes, source) if when and when.unless else None
    if unless is None:
        return where
    return f"not ({unless})" if where is None else f"{where} and not ({unless})"
