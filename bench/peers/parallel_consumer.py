"""Confluent's parallel-consumer with its Vert.x module, in a small program of ours."""

from pathlib import Path

from bench.child import Command
from bench.peers.peer import Peer
from bench.peers.python_peers import request_of
from bench.receiver.build import built
from bench.setting import Setting
from bench.workload import Workload

_FOLDER = Path(__file__).parent / "parallel-consumer"
_BUILD = ("mvn", "-q", "-B", "package", "-Dbench.out={out}")


class ParallelConsumer(Peer):
    """0.5.3.3, as pom.xml pins it: ordered by key."""

    name = "parallel-consumer"

    def __init__(self) -> None:
        self._jar = Path()

    def build(self) -> None:
        self._jar = built("parallel-consumer", _FOLDER, _BUILD, result="target/bench.jar")

    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        told = request_of(workload, topic, records, setting, self.name)
        classes = f"{self._jar}:{self._jar.parents[1]}/libs/*"
        return Command(["java", "-Xmx1g", "-cp", classes, "bench.Main", told], {})
