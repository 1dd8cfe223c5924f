"""A peer that makes other items does other work: it is refused, and the difference is named."""

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from fastavro import parse_schema, schemaless_reader

from bench.bodies import analytics_event, client_event
from bench.child import Command
from bench.peers.likeness import LIKENESS_RECORDS, check_likeness
from bench.peers.peer import Peer
from bench.receiver import Tally
from bench.setting import Setting
from bench.topic import events
from bench.workload import ARRAYS, SINGLES, Workload
from consumer.errors import FaultError
from consumer.sandbox.generator import user_event_schema

RECORDS = 20
SCHEMA: Any = parse_schema(user_event_schema())


class Somebody(Peer):
    """Its program does nothing: what it sent is said beforehand."""

    name = "somebody"

    def build(self) -> None: ...

    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        assert records == LIKENESS_RECORDS
        return Command([sys.executable, "-S", "-c", ""], {})


class Kept:
    """A receiver with these bodies."""

    def __init__(self, bodies: list[bytes]) -> None:
        self._bodies = bodies
        self.asked: dict[str, Any] = {}

    def behave(self, **asked: Any) -> None: ...

    def expect(self, records: int, *, keep: bool = False) -> None:
        self.asked = {"records": records, "keep": keep}

    def counts(self) -> Tally:
        return Tally(accepted=LIKENESS_RECORDS)

    def bodies(self) -> list[bytes]:
        return self._bodies


def check(workload: Workload, change: Callable[[list[Any]], Any]) -> Kept:
    """Judges a peer whose items are those of the bench, but for this change."""
    stored = list(events(workload, RECORDS, 1))
    item_of = analytics_event if workload.items == 1 else client_event
    items = []
    for one in stored:
        event: Any = schemaless_reader(BytesIO((one.value or b"")[5:]), SCHEMA, None, return_record_name=True)
        items.append(orjson.loads(orjson.dumps(item_of(event), option=orjson.OPT_UTC_Z)))
    change(items)
    receiver = Kept([orjson.dumps(one) for one in (items if workload.items == 1 else [items])])
    broker = SimpleNamespace(read=lambda topic: stored)
    setting: Any = Setting(broker, None, receiver, Path())  # type: ignore[arg-type]
    check_likeness(Somebody(), workload, "topic", setting)
    return receiver


@pytest.mark.parametrize("workload", [SINGLES, ARRAYS])
def test_a_peer_that_makes_the_same_items_counts_in_whatever_order_they_come(workload: Workload) -> None:
    receiver = check(workload, lambda items: items.reverse())
    assert receiver.asked == {"records": LIKENESS_RECORDS, "keep": True}


def test_another_spelling_of_the_same_moment_is_no_difference() -> None:
    def respell(items: list[Any]) -> None:
        for item in items:
            item["capturedAt"] = item["capturedAt"].replace("Z", "+00:00")

    check(SINGLES, respell)


@pytest.mark.parametrize(
    ("workload", "field"), [(SINGLES, "feature"), (SINGLES, "metadata"), (ARRAYS, "name"), (ARRAYS, "data")]
)
def test_a_peer_that_makes_another_item_is_refused_with_the_difference(
    workload: Workload, field: str
) -> None:
    def change(items: list[Any]) -> None:
        if isinstance(items[3][field], dict):
            items[3][field]["details"] = {"empty": "told otherwise"}
        else:
            items[3][field] = "told otherwise"

    with pytest.raises(FaultError, match=r"somebody makes other items .* of 1 of 20 .*told otherwise.* for "):
        check(workload, change)


def test_a_moment_that_is_another_one_is_a_difference() -> None:
    def change(items: list[Any]) -> None:
        items[0]["capturedAt"] = "2001-01-01T00:00:00Z"

    with pytest.raises(FaultError, match=r"of 1 of 20 .*2001"):
        check(SINGLES, change)


@pytest.mark.parametrize("workload", [SINGLES, ARRAYS])
def test_a_peer_that_leaves_an_item_out_is_refused(workload: Workload) -> None:
    with pytest.raises(FaultError, match="of 1 of 20 events, such as None for"):
        check(workload, lambda items: items.pop(7))


def test_a_field_that_is_null_instead_of_absent_is_a_difference() -> None:
    with pytest.raises(FaultError, match="of 1 of 20"):
        check(SINGLES, lambda items: items[5].update(other=None))
