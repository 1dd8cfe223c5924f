"""The way to a destination: its connections and its base URL."""

from collections.abc import Callable, Mapping

from consumer.http.httptools_sender import HttptoolsSender
from consumer.http.httpx_sender import HttpxSender
from consumer.http.sender import Sender, SenderPolicy
from consumer.http.urls import BaseUrl, parse_base_url
from consumer.topology.plan import Destination

SENDERS: Mapping[str, Callable[[SenderPolicy], Sender]] = {"httptools": HttptoolsSender, "httpx": HttpxSender}


def open_way(http_client: str, destination: Destination) -> tuple[Sender, BaseUrl]:
    """Connections of its own, and where its paths are appended. `http_client` is one of SENDERS."""
    policy = SenderPolicy(
        connect_timeout_s=destination.timeouts.connect_s,
        total_timeout_s=destination.timeouts.total_s,
        max_connections=destination.concurrency,
        ca_file=destination.ca_file,
    )
    # Whether plain http may be was decided when the topology was loaded.
    base_url = parse_base_url(destination.base_url, allow_plain_http=True)
    assert isinstance(base_url, BaseUrl)
    return SENDERS[http_client](policy), base_url


def same_way(old: Destination, new: Destination) -> bool:
    """Whether requests go by the same connections, to the same place, with the same key."""
    return _way(old) == _way(new)


def _way(destination: Destination) -> tuple[object, ...]:
    return (
        destination.base_url,
        destination.credential.reference,
        destination.ca_file,
        destination.timeouts,
        destination.concurrency,
    )
