"""The plan of the stage: a record says itself what is to become of it."""

import json
from collections.abc import Mapping
from typing import Any

from consumer.endpoints.endpoint import Operation
from consumer.ledger.ledger import Once
from consumer.topology.plan import Dropped, Matched, Plan, Route, Routed, Unmapped
from consumer.types import Record
from tests.unit.pipeline.records import MINUTE_MS, OTHER_TOPIC, TOPIC, digest
from tests.unit.pipeline.virtual_time import NOON_S


class Said:
    """Routes as the records say, to these operations."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        self._operations = operations

    def plan(self) -> Plan:
        def user_of(datum: dict[str, Any]) -> bytes | None:
            return datum["user"].encode() or None

        topics = (TOPIC, OTHER_TOPIC)
        return Plan(
            "0123456789ab",
            {},
            {},
            (),
            dict.fromkeys(topics, self._route),
            dict.fromkeys(topics, user_of),
        )

    def _route(self, datum: dict[str, Any], _: Record) -> list[Routed]:
        return [self.routed(one) for one in json.loads(datum["routes"])]

    def routed(self, said: dict[str, Any]) -> Routed:
        name = said["to"]
        api = name.partition("/")[0]
        route = Route(
            id=f"to-{name}",
            topic=TOPIC,
            destination=api,
            operation=self._operations[name],
            ordered=said["ordered"],
            types=(),
            window="",
        )
        match said["how"]:
            case "dropped":
                return Dropped(route, "bot")
            case "unmapped":
                return Unmapped(route, "is required and missing", "feature")
        key = None if said["key"] is None else digest(f"{name}/{said['key']}")
        once = None
        if said["at_min"] is not None:
            # The scope is in the stage's hands: one window for all opens of a destination.
            at_ms = round(NOON_S * 1000 + said["at_min"] * MINUTE_MS)
            once = Once(digest(f"opens at {api}"), at_ms, 20 * MINUTE_MS)
        body: dict[str, Any] = {"id": said["id"]}
        if name == "client/identify":
            # Traits that are told apart after they were collapsed.
            body = {"external_id": said["user"], "data": {said["id"]: True}}
        return Matched(route, json.dumps(body).encode(), key, once)
