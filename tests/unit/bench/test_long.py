"""What the long rows stand on: different events without end, a ledger filled from outside, and what is flat."""

import asyncio
import os
import sqlite3
import time
from collections import Counter
from contextlib import closing
from io import BytesIO
from itertools import pairwise

import pytest
import yaml
from fastavro import parse_schema, schemaless_reader

from bench.long.backlog import Phase
from bench.long.backlog import judged as memory_of
from bench.long.delivery import Case, Sample, check
from bench.long.delivery import judged as delivery_of
from bench.long.events import events
from bench.long.guarantees import without
from bench.long.outcome import Outcome, Target, as_json
from bench.long.prefill import prefill
from bench.long.processes import cpu_s, tree_of
from bench.long.pruning import pauses_ms
from bench.memory import Sample as Held
from bench.receiver import Tally
from bench.workload import ARRAYS, SINGLES, write_topology
from consumer.clock import SystemClock
from consumer.core.claims import KeyState
from consumer.errors import FaultError
from consumer.ledger.ledger import Intent
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.sandbox.generator import user_event_schema

_SCHEMA = parse_schema(user_event_schema())
_DAY_S = 86_400


def told(records, **changes):
    """Keys, and events as their readers see them."""
    made = events(ARRAYS, records, 1, changes.get("users"), changes.get("series", 1))
    return [(key, schemaless_reader(BytesIO(value[5:]), _SCHEMA)) for key, value in made]


def test_events_told_again_are_other_events_of_the_same_user_at_a_later_time(monkeypatch):
    monkeypatch.setattr("bench.long.events._MOST_MADE", 10)
    found = told(30)
    assert len({event["id"] for _, event in found}) == 30
    first, again = found[3], found[13]
    assert first[0] == again[0]
    assert first[1]["payload"] == again[1]["payload"]
    assert again[1]["occurred_at"] > first[1]["occurred_at"]


def test_no_event_of_one_topic_has_the_id_of_another_topics():
    first, second = ({event["id"] for _, event in told(20, series=series)} for series in (1, 2))
    assert first.isdisjoint(second)


def test_an_event_of_one_topic_is_hours_from_the_same_one_of_another():
    """Or its window would be taken, in a ledger that knows the first: a run that withholds more does less work."""
    first, second = ([event["occurred_at"] for _, event in told(20, series=series)] for series in (1, 2))
    apart = [abs((one - other).total_seconds()) for one, other in zip(first, second, strict=True)]
    assert min(apart) > 5 * 3600


def test_users_are_as_many_as_were_asked_for():
    # One may also have been somebody without a name before.
    few, many = (len({key for key, _ in told(3_000, users=users)}) for users in (20, 200))
    assert 20 <= few <= 40
    assert 200 <= many <= 400


def states(path, slots):
    """What the ledger itself says of keys."""

    async def ask():
        ledger = open_ledger(f"sqlite:///{path}", "test", LedgerPolicy(reservation_age_s=60.0), SystemClock())
        await ledger.open()
        intents = [Intent(slot, "topic", 0, 0, 1, "route", None) for slot in slots]
        found = await ledger.states(intents)
        await ledger.close()
        return [state for state, _ in found]

    return asyncio.run(ask())


def test_a_ledger_that_is_filled_from_outside_is_one_and_knows_its_keys(tmp_path):
    path = tmp_path / "full.db"
    prefill(path, 4_096, 3_600, int(time.time()), lambda _: None)
    (known, unknown) = states(path, [bytes(16), bytes(15) + b"\1"])
    assert (known, unknown) == (KeyState.CONFIRMED, KeyState.FREE)


def test_keys_of_ids_that_tell_their_time_are_spread_over_all_of_it(tmp_path):
    """In the tree's order, or it would take hours; of each slice that pruning walks through there are as many."""
    path, now_s, age_s = tmp_path / "full.db", int(time.time()), 25 * 3600
    prefill(path, 40_960, age_s, now_s, lambda _: None, time_ordered=True)
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT slot, written_s FROM settled ORDER BY offset").fetchall()

    slots = [slot for slot, _ in rows]
    assert len(slots) == 40_960
    assert slots == sorted(set(slots))
    assert {len(slot) for slot in slots} == {16}
    ages = [now_s - written_s for _, written_s in rows]
    assert (min(ages), max(ages)) == (pytest.approx(0, abs=30), pytest.approx(age_s, abs=30))
    assert max(Counter(int.from_bytes(slot[:2], "big") >> 4 for slot in slots).values()) <= 2 * 10 + 10


def test_each_tick_of_pruning_is_timed_and_deletes_what_has_expired(tmp_path):
    path = tmp_path / "full.db"
    prefill(path, 8_192, 3_600, int(time.time()), lambda _: None)
    found = pauses_ms(path, 20, later_s=3.0 * _DAY_S)
    assert len(found) == 20
    assert min(found) > 0
    connection = sqlite3.connect(path)
    (left,) = connection.execute("SELECT count(*) FROM settled").fetchone()
    connection.close()
    assert 0 < left < 8_192 - 50  # of 4,096 slices some hundred were due


@pytest.mark.parametrize(("windows", "order"), [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("workload", [ARRAYS, SINGLES])
def test_a_guarantee_is_taken_away_from_every_route_and_nothing_else_is(workload, windows, order, tmp_path):
    own = write_topology(workload, "some-topic", tmp_path)
    changed = without(own, windows=windows, order=order)
    for file in own.glob("*.yaml"):
        before, after = yaml.safe_load(file.read_text()), yaml.safe_load((changed / file.name).read_text())
        for name, route in before.get("routes", {}).items():
            if windows:
                route.pop("once", None)
            if order:
                route["ordering"] = "none"
            assert after["routes"][name] == route
        assert {**after, "routes": None} == {**before, "routes": None}


def case(**changes):
    return Case("some run", ARRAYS, "topic", 10, "memory:", **changes)


def books(consumed=10, **changes):
    client = {"delivered": 10, "windowed": 0, "suppressed": 0, **changes}
    return {"balanced": True, "consumed": consumed, "abandoned": 2, "destinations": {"client": client}}


def test_a_run_that_lost_or_disordered_something_is_no_number():
    complete = Tally(requests=1, accepted=10, disordered=0)
    check(case(), books(consumed=15, suppressed=3), complete)
    with pytest.raises(FaultError, match="consumed is 9, not 10"):
        check(case(), books(consumed=11), complete)
    with pytest.raises(FaultError, match="delivered and windowed is 9, not 10"):
        check(case(), books(consumed=12, delivered=9), complete)
    with pytest.raises(FaultError, match="order is 2"):
        check(case(), books(consumed=12), Tally(requests=1, accepted=10, disordered=2))
    check(case(ordered=False), books(consumed=12), Tally(requests=1, accepted=10, disordered=2))


def test_a_rate_is_that_of_the_middle_and_a_gap_is_the_longest_in_it():
    # 100 a second from 1 s on, and nothing for half a second in the middle.
    arrived = [*[0] * 10, *range(0, 500, 10), *[500] * 5, *range(500, 1_001, 10)]
    samples = [Sample(0.1 * at, count, count / 1e4, 1_000) for at, count in enumerate(arrived)]
    found = delivery_of(case(), samples)
    assert found.per_second == pytest.approx(100, rel=0.15)
    assert found.cpu_us == pytest.approx(100)
    assert found.longest_gap_ms == pytest.approx(500, abs=101)
    with pytest.raises(FaultError, match="at once"):
        delivery_of(case(), [Sample(0, 0, 0, 0), Sample(1, 1_000, 1, 0)])


def held(name, first_mb, last_mb):
    step = (last_mb - first_mb) / 99
    return [Held(float(at), name, int((first_mb + at * step) * 1e6), 1, 1, at) for at in range(100)]


def test_memory_that_grows_by_more_than_a_tenth_in_a_phase_is_a_target_missed():
    flat = memory_of(10, [Phase("down", 1)], held("down", 200, 205))
    assert [one.reached for one in flat.targets] == [True, True]
    growing = memory_of(10, [Phase("down", 1)], held("down", 200, 260))
    assert [one.reached for one in growing.targets] == [False, False]  # also above 250 MB


def test_a_target_says_what_was_reached_of_what():
    most = Target("pause, in ms", 120.0, 100.0, at_least=False)
    assert (str(most), most.reached) == ("MISSED: pause, in ms: 120 (≤ 100)", False)
    assert Target("rate", 0.8, 0.8).reached
    document = as_json([Outcome("growth", {"some keys": {"records_per_second": 5}}, [most])])
    assert document["rows"]["growth"]["targets"][0]["reached"] is False


def test_a_process_counts_with_those_that_it_started():
    pids = tree_of(os.getpid())
    assert os.getpid() in pids
    spent = [cpu_s(pids)]
    while spent[-1] <= spent[0]:
        spent.append(cpu_s(pids))
    assert all(before <= after for before, after in pairwise(spent))
