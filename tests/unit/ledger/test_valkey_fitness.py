"""Which servers may be a ledger, by what they say of themselves."""

from typing import Any

import pytest

from consumer.ledger.valkey_fitness import Fitness, judge

FIT: dict[str, Any] = {
    "redis_version": "7.2.4",
    "role": "master",
    "cluster_enabled": 0,
    "maxmemory_policy": "noeviction",
    "aof_enabled": 1,
}


@pytest.mark.parametrize("fsync", ["always", "everysec", None])
def test_one_primary_that_evicts_nothing_and_writes_an_append_only_file_is_fit(fsync: str | None) -> None:
    assert judge(FIT, fsync) == Fitness()


@pytest.mark.parametrize(
    ("difference", "says"),
    [
        ({"redis_version": "6.2.14"}, "Redis from 7.0 on, is needed"),
        ({"cluster_enabled": 1}, "cluster mode disabled"),
        ({"maxmemory_policy": "volatile-lru"}, "set maxmemory-policy noeviction"),
    ],
)
def test_what_would_break_or_lose_in_silence_is_a_mistake(difference: dict[str, Any], says: str) -> None:
    assert says in (judge({**FIT, **difference}, "always").mistake or "")


def test_a_replica_is_a_trouble_that_may_pass() -> None:
    fitness = judge({**FIT, "role": "slave"}, "always")
    assert fitness.mistake is None
    assert "must lead to the primary" in (fitness.trouble or "")


@pytest.mark.parametrize(
    ("difference", "fsync", "says"),
    [({"aof_enabled": 0}, None, "set appendonly yes"), ({}, "no", "set appendfsync everysec or always")],
)
def test_what_a_crash_may_cost_is_advice(difference: dict[str, Any], fsync: str | None, says: str) -> None:
    [advice] = judge({**FIT, **difference}, fsync).advice
    assert says in advice


def test_a_managed_server_that_keeps_things_to_itself_is_not_refused_for_that() -> None:
    assert judge({"redis_version": "7.1.0", "aof_enabled": 1}, None) == Fitness()
