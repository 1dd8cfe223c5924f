"""Whether a peer makes the same items as all others: else it would not be doing the same work."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from io import BytesIO
from typing import Any

import fastavro
import orjson

from bench.bodies import Item, analytics_event, client_event
from bench.child import run
from bench.peers.peer import Peer
from bench.rounds import Complete
from bench.setting import Setting
from bench.workload import Workload
from consumer.errors import FaultError
from consumer.resources import schemas_dir

LIKENESS_RECORDS = 600
_FRAME_BYTES = 5
_TIMES = ("occurred_at", "capturedAt")


def check_likeness(peer: Peer, workload: Workload, topic: str, setting: Setting) -> None:
    """Let it deliver a topic of so many records. Raises FaultError, naming a difference, where items differ."""
    setting.receiver.behave()
    setting.receiver.expect(LIKENESS_RECORDS, keep=True)
    command = peer.command(workload, topic, LIKENESS_RECORDS, setting)
    run(command, Complete(setting.receiver, LIKENESS_RECORDS), timeout_s=60.0)
    expected = dict(_expected(workload, topic, setting))
    found = dict(_found(setting.receiver.bodies(), workload))
    if wrong := [key for key, item in expected.items() if found.get(key) != item]:
        first = wrong[0]
        raise FaultError(
            f"{peer.name} makes other items than bench/bodies.py of {len(wrong)} of {len(expected)} events, "
            f"such as {found.get(first)} for {expected[first]}"
        )


def _expected(workload: Workload, topic: str, setting: Setting) -> Iterator[tuple[str, Item]]:
    schema: Any = fastavro.parse_schema(json.loads((schemas_dir() / "user-event.avsc").read_bytes()))
    item_of: Callable[[Item], Item] = analytics_event if workload.items == 1 else client_event
    for record in setting.broker.read(topic):
        body = BytesIO((record.value or b"")[_FRAME_BYTES:])
        event: Any = fastavro.schemaless_reader(body, schema, None, return_record_name=True)
        made = orjson.loads(orjson.dumps(item_of(event), option=orjson.OPT_UTC_Z))
        yield event["id"], _comparable(made)


def _found(bodies: list[bytes], workload: Workload) -> Iterator[tuple[str, Item]]:
    for body in bodies:
        document = orjson.loads(body)
        for item in [document] if workload.items == 1 else document:
            yield item["metadata" if workload.items == 1 else "data"]["event_id"], _comparable(item)


def _comparable(item: Item) -> Item:
    """Times as moments, whole numbers as numbers: spellings that mean the same are the same."""
    return {key: _value(key, value) for key, value in item.items()}


def _value(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _comparable(value)
    return datetime.fromisoformat(value) if key in _TIMES else value
