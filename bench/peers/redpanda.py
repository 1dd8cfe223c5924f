"""Redpanda Connect: its own command and a pipeline in its own language."""

from pathlib import Path

from bench.child import Command
from bench.peers.peer import Peer, key_of
from bench.receiver.build import built
from bench.setting import Setting
from bench.workload import Workload

_FOLDER = Path(__file__).parent / "redpanda-connect"
_BUILD = ("go", "build", "-trimpath", "-o", "{out}/redpanda-connect", ".")


class RedpandaConnect(Peer):
    """v4.100.0, as go.mod pins it. The first build takes three minutes."""

    def __init__(self, *, unordered: bool = False) -> None:
        """`unordered`: a partition's records side by side; only for one object a request."""
        self.name = "redpanda-connect" + ("-unordered" if unordered else "")
        self._unordered = unordered
        self._program = Path()

    def build(self) -> None:
        inputs = ("*.go", "go.mod", "go.sum")
        self._program = built("redpanda-connect", _FOLDER, _BUILD, result="redpanda-connect", inputs=inputs)

    def records(self, workload: Workload, records: int) -> int:
        if self._unordered and workload.items > 1:
            return 0
        # In order it keeps few requests under way: at 20 ms each, all the records would take minutes.
        return records // 4 if workload.latency_ms and not self._unordered else records

    def command(self, workload: Workload, topic: str, records: int, setting: Setting) -> Command:
        environment = {
            "BROKERS": setting.broker.bootstrap_servers,
            "TOPIC": topic,
            "GROUP": setting.broker.group(self.name),
            "REGISTRY": setting.registry.url,
            "URL": setting.receiver.base_url + workload.path,
            "KEY": key_of(workload),
            "IN_FLIGHT": str(workload.in_flight),
            "UNORDERED": str(self._unordered).lower(),
        }
        file = _FOLDER / ("singles.yaml" if workload.items == 1 else "arrays.yaml")
        return Command([str(self._program), "run", str(file)], environment, endless=True)
