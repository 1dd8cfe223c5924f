"""The two that are compared: how each is started, and whether its counts agree with the receiver's."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Protocol

from bench.bare import Settings
from bench.child import Command
from bench.setting import Setting
from bench.workload import CLIENT_KEY, DISTINCT_KEY, Workload, write_topology
from consumer.errors import FaultError
from consumer.resources import schemas_dir
from consumer.sandbox.simulator import BookReport

_HEADERS = {
    "arrays": {"authorization": f"Bearer {CLIENT_KEY}", "content-type": "application/json"},
    "singles": {"x-distinct-api-key": DISTINCT_KEY, "content-type": "application/json"},
}
_ACKNOWLEDGED = {"arrays": 204, "singles": 200}


class Side(Protocol):
    """One way to deliver a topic."""

    name: str

    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        """Deliver all records of the topic, as a new group, and end."""
        ...

    def check(self, output: bytes, book: BookReport, records: int, workload: Workload) -> int:
        """Gives how many records their window withheld. Raises FaultError if the counts do not agree."""
        ...


class Bare:
    """`bench/bare.py`."""

    name = "bare"

    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        settings = Settings(
            bootstrap_servers=setting.broker.bootstrap_servers,
            group=setting.broker.group("bare"),
            topic=topic,
            records=records,
            url=setting.receiver.base_url + workload.path,
            headers=_HEADERS[workload.name],
            acknowledged=_ACKNOWLEDGED[workload.name],
            items=workload.items,
            in_flight=workload.in_flight,
            schema=str(schemas_dir() / "user-event.avsc"),
        )
        return Command([sys.executable, "-m", "bench.bare", json.dumps(asdict(settings))], {})

    def check(self, output: bytes, book: BookReport, records: int, workload: Workload) -> int:
        said: dict[str, Any] = json.loads(output)
        _agree("bare", {"consumed": (said["consumed"], records), "accepted": (book.accepted, records)}, book)
        return 0


class Ours:
    """`distinct-consumer run`, with a new ledger in SQLite each time."""

    name = "ours"

    def __init__(self, python: Sequence[str] = ("-m", "bench.ours")) -> None:
        """`python`: what is between the interpreter and the command's own words: a profiler goes there."""
        self._python = python

    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        group = setting.broker.group("ours")
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": setting.broker.bootstrap_servers,
            "SCHEMA_REGISTRY_URL": setting.registry.url,
            "CONSUMER_GROUP": group,
            "LEDGER_URL": f"sqlite:///{setting.folder / group}.db",
            "ADMIN_LISTEN": "127.0.0.1:0",
            "TOPOLOGY": str(write_topology(workload, topic, setting.folder)),
            "DISTINCT_BASE_URL": setting.receiver.base_url,
            "DISTINCT_API_KEY": DISTINCT_KEY,
            "CLIENT_API_BASE_URL": setting.receiver.base_url,
            "CLIENT_API_KEY": CLIENT_KEY,
        }
        words = ("run", "--until-end", "--timeout", "240", "--output", "json")
        return Command([sys.executable, *self._python, *words], environment)

    def check(self, output: bytes, book: BookReport, records: int, workload: Workload) -> int:
        books: dict[str, Any] = json.loads(output)
        one: dict[str, int] = books["destinations"][workload.destination]
        windowed = one["windowed"]
        counts = {
            "balanced": (int(books["balanced"]), 1),
            "consumed": (books["consumed"], records),
            "matched": (one["matched"], records),
            "delivered and windowed": (one["delivered"] + windowed, records),
            "accepted": (book.accepted - book.duplicates, one["delivered"]),
        }
        _agree("ours", counts, book)
        return windowed


def _agree(side: str, counts: dict[str, tuple[int, int]], book: BookReport) -> None:
    """A fast loop that loses or repeats something has measured nothing."""
    counts = {**counts, "duplicates": (book.duplicates, 0), "refused": (book.refused, 0)}
    wrong = [
        f"{name} is {found}, not {expected}"
        for name, (found, expected) in counts.items()
        if found != expected
    ]
    if book.harmed:
        wrong.append(f"the receiver was harmed: {book.harmed}")
    if wrong:
        raise FaultError(f"{side} is not complete: {'; '.join(wrong)}")
