"""Settings that send a consumer through proxies."""

from tests.faults.proxy import FaultProxy


def to_receivers(proxy: FaultProxy) -> dict[str, str]:
    """Environment variables: both APIs of a stage are reached through this proxy."""
    url = f"http://{proxy.address}"
    return {"DISTINCT_BASE_URL": url, "CLIENT_API_BASE_URL": url}


def to_brokers(*proxies: FaultProxy) -> dict[str, str]:
    """Environment variables: the brokers are asked for through these proxies, behind listeners that advertise them."""
    return {"KAFKA_BOOTSTRAP_SERVERS": ",".join(proxy.address for proxy in proxies)}
