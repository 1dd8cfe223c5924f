"""Which ledgers several processes can share: judged by the URL, without opening anything."""


def is_shared(url: str) -> bool:
    """Whether it is a server that hosts share: what it has lost must not stop all of them."""
    return url.partition(":")[0] not in ("sqlite", "memory")


def sharing_fault(url: str, replicas: int) -> str | None:
    """Why so many replicas, each on a host of its own, cannot share this ledger; None where they can."""
    scheme = url.partition(":")[0]
    if replicas < 2 or is_shared(url):
        return None
    kept = "lies in each process's own memory" if scheme == "memory" else "is one host's file"
    return (
        f"{url} {kept}, which {replicas} replicas cannot share: each would send again what another has delivered; "
        "run one replica, or name a ledger that all of them reach"
    )
