"""The peers in Python: the loop that everyone writes, and Quix Streams in an environment of its own."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from bench.child import Command
from bench.peers.peer import Peer, share_of
from bench.peers.request import Request
from bench.receiver.build import built
from bench.setting import Setting
from bench.workload import ROOT, Workload

_QUIX = Path(__file__).parent / "quix"


def request_of(workload: Workload, topic: str, records: int, setting: Setting, name: str) -> str:
    """What a program is told, as JSON."""
    request = Request(
        bootstrap_servers=setting.broker.bootstrap_servers,
        group=setting.broker.group(name),
        topic=topic,
        records=records,
        registry=setting.registry.url,
        url=setting.receiver.base_url + workload.path,
        headers=workload.headers,
        acknowledged=workload.acknowledged,
        items=workload.items,
        in_flight=workload.in_flight,
    )
    return json.dumps(asdict(request))


class EveryonesLoop(Peer):
    """With the libraries of this environment."""

    name = "everyones-loop"

    def build(self) -> None:
        """There is nothing to make."""

    def records(self, workload: Workload, records: int) -> int:
        return int(records * share_of(workload, arrays=0.5, singles=0.1, far=0.01))

    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        told = request_of(workload, topic, records, setting, self.name)
        return Command([sys.executable, "-m", "bench.peers.loop_deliver", told], {})


class Quix(Peer):
    """3.28.0, as its requirements pin it."""

    name = "quix-streams"

    def __init__(self) -> None:
        self._python = Path()

    def build(self) -> None:
        self._python = built(
            "quix",
            _QUIX,
            [sys.executable, "-m", "venv", "{out}"],
            ["{out}/bin/python", "-m", "pip", "install", "--quiet", "-r", "requirements.txt"],
            result="bin/python",
            inputs=("requirements.txt",),
        )

    def records(self, workload: Workload, records: int) -> int:
        return int(records * share_of(workload, arrays=0.5, singles=0.1, far=0.1))

    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        told = request_of(workload, topic, records, setting, self.name)
        # In the run's folder: it keeps a state folder where it runs.
        return Command(
            [str(self._python), str(_QUIX / "deliver.py"), told], {"PYTHONPATH": str(ROOT)}, setting.folder
        )
