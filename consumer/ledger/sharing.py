"""Which ledgers several processes can share: judged by the URL, without opening anything."""


def sharing_fault(url: str, replicas: int) -> str | None:
    """Why so many replicas, each on a host of its own, cannot share this ledger; None where they can."""
    scheme = url.partition(":")[0]
    if replicas < 2 or scheme not in ("sqlite", "memory"):
        return None
    kept = "lies in each process's own memory" if scheme == "memory" else "is one host's file"
    return (
        f"{url} {kept}, which {replicas} replicas cannot share: each would send again what another has delivered; "
        "run one replica, or name a ledger that all of them reach"
    )
