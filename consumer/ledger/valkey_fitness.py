"""Whether a server may be a ledger, by what it says of itself: decided here, asked elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FIRST_MAJOR = 7
"""Redis 7.0 is the first whose scripts can say that they may run when the memory is full. Valkey begins with 7.2."""


@dataclass(frozen=True, slots=True)
class Fitness:
    """`mistake`: set up so that it must not be used. `trouble`: not now, which may pass. `advice`: what a crash of it
    may cost, for an operator to know; empty where nothing."""

    mistake: str | None = None
    trouble: str | None = None
    advice: tuple[str, ...] = ()


def judge(info: Mapping[str, Any], fsync: str | None) -> Fitness:
    """Judge a server by its INFO, and its `appendfsync` where we may see it."""
    mistake = _mistake(info)
    if mistake is not None:
        return Fitness(mistake=mistake)
    if info.get("role") not in (None, "master"):
        return Fitness(trouble="it is a replica: LEDGER_URL must lead to the primary, also after a fail-over")
    return Fitness(advice=_advice(info, fsync))


def _mistake(info: Mapping[str, Any]) -> str | None:
    version = str(info.get("redis_version", ""))
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < _FIRST_MAJOR:
        return f"it is Redis {version}: Valkey, or Redis from {_FIRST_MAJOR}.0 on, is needed"
    if info.get("cluster_enabled") in (1, "1"):
        return (
            "it is a node of a cluster: a ledger needs one primary (with replicas) and cluster mode disabled"
        )
    policy = info.get("maxmemory_policy")
    if policy not in (None, "noeviction"):
        return (
            f"its maxmemory-policy is {policy}, so that it may silently forget what was delivered, which would be "
            "sent again: set maxmemory-policy noeviction"
        )
    return None


def _advice(info: Mapping[str, Any], fsync: str | None) -> tuple[str, ...]:
    if info.get("aof_enabled") not in (1, "1"):
        return (
            "appendonly is off: a restart of the server forgets what came after its last snapshot, which lets "
            "duplicates through; set appendonly yes",
        )
    if fsync == "no":
        return (
            "appendfsync is no: a crash of its machine may forget half a minute, which lets duplicates through; "
            "set appendfsync everysec or always",
        )
    return ()
