"""Whether both sides make the same of an event: else they would not be doing the same work."""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import orjson

from bench.bodies import analytics_event, client_event
from bench.topic import events
from bench.workload import TOPIC, Workload
from consumer.errors import FaultError
from consumer.resources import schemas_dir
from consumer.topology.load import load_plan
from consumer.topology.plan import Matched
from consumer.types import Record

_EVENTS = 2_000
_FRAME_BYTES = 5
ENVIRONMENT: Mapping[str, str] = {
    name: "http://127.0.0.1:1" if name.endswith("URL") else "pk_parity"
    for name in ("DISTINCT_BASE_URL", "DISTINCT_API_KEY", "CLIENT_API_BASE_URL", "CLIENT_API_KEY")
}


def check_parity(workload: Workload) -> None:
    """Map some events by the topology and by hand. Raises FaultError, naming the payload, if they differ."""
    router = load_plan(workload.topology, ENVIRONMENT, schemas=schemas_dir()).router(TOPIC)
    schema: Any = fastavro.parse_schema(json.loads((schemas_dir() / "user-event.avsc").read_bytes()))
    by_hand = analytics_event if workload.items == 1 else client_event
    for number, emission in enumerate(events(workload, _EVENTS, 1)):
        value = emission.value or b""
        event: Any = fastavro.schemaless_reader(
            BytesIO(value[_FRAME_BYTES:]), schema, None, return_record_name=True
        )
        routed = router(event, Record(TOPIC, 0, number, 0, emission.key, value, None))
        bodies = [orjson.loads(one.body) for one in routed if isinstance(one, Matched)]
        expected = orjson.loads(orjson.dumps(by_hand(event), option=orjson.OPT_UTC_Z))
        if bodies != [expected]:
            place = Path("bench/topology") / workload.name
            raise FaultError(
                f"{emission.payload}: {place} and bench/bodies.py make different items of one event"
            )
