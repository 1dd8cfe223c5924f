"""Ours and the bare loop: how each is started, and whether its counts agree with the receiver's."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from bench.bare import Settings
from bench.child import Command
from bench.reader import AVRO_READER
from bench.receiver import Tally
from bench.setting import Setting
from bench.workload import CLIENT_KEY, DISTINCT_KEY, ROOT, Workload, write_topology
from consumer.errors import FaultError
from consumer.resources import schemas_dir


class Side(Protocol):
    """One way to deliver a topic."""

    name: str

    def records(self, workload: Workload, records: int) -> int:
        """How many of so many it is measured with: fewer where it is slow; 0: it has no part in this."""
        ...

    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        """Deliver all records of the topic, as a new group."""
        ...

    def check(self, output: bytes, tally: Tally, records: int, workload: Workload) -> int:
        """Gives how many records their window withheld. Raises FaultError if the counts do not agree."""
        ...


class Bare:
    """`bench/bare.py`."""

    name = "bare"

    def records(self, workload: Workload, records: int) -> int:
        return records

    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        settings = Settings(
            bootstrap_servers=setting.broker.bootstrap_servers,
            group=setting.broker.group("bare"),
            topic=topic,
            records=records,
            url=setting.receiver.base_url + workload.path,
            headers=workload.headers,
            acknowledged=workload.acknowledged,
            items=workload.items,
            in_flight=workload.in_flight,
            schema=str(schemas_dir() / "user-event.avsc"),
        )
        return Command([sys.executable, "-m", "bench.bare", json.dumps(asdict(settings))], {})

    def check(self, output: bytes, tally: Tally, records: int, workload: Workload) -> int:
        said: dict[str, Any] = json.loads(output)
        agree("bare", {"consumed": (said["consumed"], records), "arrived": (tally.arrived, records)}, tally)
        return 0


class Ours:
    """`distinct-consumer run`, with a new ledger in SQLite each time."""

    def __init__(
        self, python: Sequence[str] = ("-m", "bench.ours"), *, name: str = "ours", root: Path = ROOT
    ) -> None:
        """`python`: what is between the interpreter and the command's own words: a profiler goes there.
        `root`: the checkout whose consumer it is."""
        self.name = name
        self._python = python
        self._root = root

    def records(self, workload: Workload, records: int) -> int:
        return records

    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        words = ("--until-end", "--timeout", "240")
        return self.endless(workload, topic, setting, words)

    def endless(self, workload: Workload, topic: str, setting: Setting, words: Sequence[str] = ()) -> Command:
        """Deliver until it is told to stop, if the words do not say otherwise."""
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
            "CONSUMER_AVRO_READER": AVRO_READER,
        }
        arguments = [sys.executable, *self._python, "run", *words, "--output", "json"]
        return Command(arguments, environment, self._root, endless=not words)

    def check(self, output: bytes, tally: Tally, records: int, workload: Workload) -> int:
        books: dict[str, Any] = json.loads(output)
        one: dict[str, int] = books["destinations"][workload.destination]
        windowed = one["windowed"]
        counts = {
            "balanced": (int(books["balanced"]), 1),
            "consumed": (books["consumed"], records),
            "matched": (one["matched"], records),
            "delivered and windowed": (one["delivered"] + windowed, records),
            "arrived": (tally.arrived, one["delivered"]),
            "out of their user's order": (tally.disordered or 0, 0),
        }
        agree(self.name, counts, tally, withheld=windowed)
        return windowed


def agree(
    side: str, counts: dict[str, tuple[int, int]], tally: Tally, *, withheld: int = 0, repeats: int = 0
) -> None:
    """A fast loop that loses or repeats something has measured nothing: then it raises FaultError.

    So many records may be withheld, and so many repeated.
    """
    counts = {
        **counts,
        "missing": (tally.missing, withheld),
        "duplicates": (tally.duplicates, repeats),
        "refused": (tally.refused + tally.overloaded, 0),
        "strange": (tally.strange, 0),
    }
    wrong = [
        f"{name} is {found}, not {expected}"
        for name, (found, expected) in counts.items()
        if found != expected
    ]
    if wrong:
        raise FaultError(f"{side} is not complete: {'; '.join(wrong)}")
