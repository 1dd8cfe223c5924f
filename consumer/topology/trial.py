"""Examples tried on a topology: what each route makes of a record, beside what was expected of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from consumer.avro.specimens import Misfit, specimen
from consumer.endpoints.endpoint import Addressed
from consumer.settings.document import Document, Finding, Location
from consumer.settings.mistakes import locate, nearest
from consumer.topology.avro_schema import schema_file
from consumer.topology.examples import Example, ExpectationModel
from consumer.topology.plan import Datum, Dropped, Matched, Plan, Routed, Unmapped
from consumer.types import Record

_LONGEST = 300


class Tried(NamedTuple):
    """What came of one example: it passed where there are no differences."""

    name: str
    routes: tuple[str, ...]
    """The routes that it is an example of."""
    differences: tuple[str, ...]


def try_example(example: Example, plan: Plan, folders: list[Path]) -> Tried:
    """Route its record and compare. folders: where `.avsc` files are looked for. Blocks on them."""
    differences = tuple(str(finding) for finding in _differences(example, plan, folders))
    return Tried(example.name, tuple(example.model.expect), differences)


def _differences(example: Example, plan: Plan, folders: list[Path]) -> Iterator[Finding]:
    model, document = example.model, example.document
    here: Location = ("examples", example.name)
    topic = model.topic or (next(iter(plan.topics)) if len(plan.topics) == 1 else "")
    if topic not in plan.topics:
        text = f"there is no topic {topic}" if topic else "needs a topic: the topology has several"
        yield _finding(document, (*here, "topic"), text + nearest(topic, plan.topics))
        return
    datum = _datum(model.record, plan, topic, folders)
    if isinstance(datum, Misfit):
        text = datum.text + (
            nearest(str(datum.at[-1] if datum.at else ""), datum.choices) if datum.choices else ""
        )
        yield _finding(document, (*here, "record", *datum.at), text)
        return
    key = None if model.key is None else model.key.encode()
    answers = {
        answer.route.id: answer
        for answer in plan.router(topic)(datum, Record(topic, 0, 0, 0, key, b"", None))
    }
    known = {route.id for route in plan.routes}
    for route, expected in model.expect.items():
        at = (*here, "expect", route)
        if route not in known:
            yield _finding(document, at, f"there is no route {route}" + nearest(route, known))
        elif route not in answers:
            yield _finding(document, at, "does not take this record")
        else:
            yield from _compare(document, at, expected, answers[route])
    for route in answers.keys() - model.expect.keys():
        yield _finding(
            document, (*here, "expect"), f"{route} takes it too: {_shown(_end_of(answers[route]))}"
        )


def _datum(record: dict[str, Any], plan: Plan, topic: str, folders: list[Path]) -> Datum | Misfit:
    schema = plan.topics[topic].schema
    file = schema_file(schema, folders) if schema else None
    if file is not None:
        return specimen(file.read_text("utf-8"), record)
    # Without a schema nothing is known of the record but where its payload stands.
    field = plan.topics[topic].payload_field
    payload = record.get(field) if field else None
    if field and isinstance(payload, dict) and len(payload) == 1:
        return {**record, field: next(iter(payload.items()))}
    return record


def _compare(
    document: Document, at: Location, expected: ExpectationModel, answer: Routed
) -> Iterator[Finding]:
    wanted = expected.model_dump(exclude_unset=True)
    found = _end_of(answer)
    kind = next(iter(wanted.keys() - {"path"}))
    if kind not in found:
        yield _finding(document, (*at, kind), f"instead: {_shown(found)}")
        return
    if "path" in wanted and wanted["path"] != found["path"]:
        yield _finding(document, (*at, "path"), f"is {found['path']}")
    for inside, text in _unlike(wanted[kind], found[kind], ()):
        yield _finding(document, (*at, kind, *inside), text)


def _end_of(answer: Routed) -> dict[str, Any]:
    match answer:
        case Matched():
            operation, item = answer.route.operation, answer.body
            path = operation.address(item).path if isinstance(operation, Addressed) else operation.path
            return {"path": path, "body": json.loads(operation.body([item]))}
        case Dropped():
            return {"dropped": answer.reason}
        case Unmapped():
            return {"refused": f"{answer.field}: {answer.reason}" if answer.field else answer.reason}


def _unlike(wanted: Any, found: Any, at: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in wanted.keys() | found.keys():
            if key not in found:
                yield (*at, key), "is not there"
            elif key not in wanted:
                yield (*at, key), f"is there too: {_shown(found[key])}"
            else:
                yield from _unlike(wanted[key], found[key], (*at, key))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for position, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _unlike(one, other, (*at, position))
    elif wanted != found or isinstance(wanted, bool) != isinstance(found, bool):
        yield at, f"is {_shown(found)}"


def _finding(document: Document, at: Location, text: str) -> Finding:
    place, key = locate(document, at)
    return Finding(place, key.removeprefix("examples."), text)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
