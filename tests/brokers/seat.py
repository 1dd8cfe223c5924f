"""Where one broker of a cluster sits: its number and its ports, and what that makes of its settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from tests.brokers.ports import free_ports

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Seat:
    """Loopback ports. Clients that come in by `proxied_port` are told to come back by `proxy_port`, where a test's
    proxy may stand between."""

    node_id: int
    port: int
    controller_port: int
    proxied_port: int
    proxy_port: int

    @classmethod
    def choose(cls, count: int = 1) -> list[Self]:
        """Free seats, numbered from 1."""
        ports = free_ports(4 * count)
        return [cls(number + 1, *ports[4 * number : 4 * number + 4]) for number in range(count)]

    @property
    def bootstrap_servers(self) -> str:
        return f"{_HOST}:{self.port}"

    @property
    def behind_proxy(self) -> str:
        """What a proxy on `proxy_port` hands on to."""
        return f"{_HOST}:{self.proxied_port}"

    def settings(self, cluster: Sequence["Seat"]) -> dict[str, str]:
        """The broker's own, in a cluster of these seats."""
        here = f"PLAINTEXT://{_HOST}:{self.port},CONTROLLER://{_HOST}:{self.controller_port}"
        return {
            "process.roles": "broker,controller",
            "node.id": str(self.node_id),
            "controller.quorum.voters": ",".join(
                f"{one.node_id}@{_HOST}:{one.controller_port}" for one in cluster
            ),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT",
            "listeners": f"{here},PROXIED://{_HOST}:{self.proxied_port}",
            "advertised.listeners": f"{here},PROXIED://{_HOST}:{self.proxy_port}",
        }
