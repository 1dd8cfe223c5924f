"""What a side says of itself against what the receiver says: only what agrees is a number."""

from io import StringIO

import orjson
import pytest
from rich.console import Console

from bench.receiver import Tally
from bench.report import Result, as_json, print_tables
from bench.rounds import Rounds, Run
from bench.sides import Bare, Ours
from bench.workload import ARRAYS
from consumer.errors import FaultError

COMPLETE = Tally(requests=1, accepted=10, disordered=0)


def _books(**changed: object) -> bytes:
    client = {"matched": 10, "delivered": 10, "windowed": 0} | changed
    return orjson.dumps({"balanced": True, "consumed": 10, "destinations": {"client": client}})


def test_what_arrived_whole_and_in_order_counts() -> None:
    assert Ours().check(_books(), COMPLETE, 10, ARRAYS) == 0
    assert Bare().check(b'{"consumed": 10}', COMPLETE, 10, ARRAYS) == 0


def test_what_a_window_withheld_is_not_missing() -> None:
    tally = Tally(requests=1, accepted=8, missing=2, disordered=0)
    assert Ours().check(_books(delivered=8, windowed=2), tally, 10, ARRAYS) == 2


@pytest.mark.parametrize(
    ("tally", "word"),
    [
        (Tally(accepted=9, missing=1, disordered=0), "missing"),
        (Tally(accepted=11, duplicates=1, disordered=0), "duplicates"),
        (Tally(accepted=10, duplicates=1, missing=1, disordered=0), "missing"),
        (Tally(accepted=10, disordered=1), "order"),
        (Tally(accepted=10, refused=1, disordered=0), "refused"),
        (Tally(accepted=11, strange=1, disordered=0), "strange"),
    ],
)
def test_ours_does_not_count_where_the_receiver_saw_otherwise(tally: Tally, word: str) -> None:
    with pytest.raises(FaultError, match=word):
        Ours().check(_books(), tally, 10, ARRAYS)


def test_the_bare_loop_does_not_count_where_a_record_is_missing() -> None:
    with pytest.raises(FaultError, match="missing is 1"):
        Bare().check(b'{"consumed": 10}', Tally(accepted=9, missing=1), 10, ARRAYS)


def _run(per_second: float, cpu_us: float, duplicates: float = 0, peak_mb: float = 1) -> Run:
    return Run(
        per_second,
        cpu_us,
        items=1,
        bytes=1,
        windowed=0,
        disordered=0,
        duplicates=duplicates,
        peak_mb=peak_mb,
    )


def test_a_ratio_compares_neighbours_in_time() -> None:
    # The machine was twice as slow in the second round: for both.
    ours, bare = [_run(100, 10), _run(50, 20), _run(100, 10)], [_run(200, 5), _run(100, 10), _run(400, 5)]
    rounds = Rounds(ARRAYS, 1, {"ours": ours, "bare": bare}, {})
    assert rounds.speed_ratio("ours", "bare") == 0.5
    assert rounds.cpu_ratio("ours", "bare") == 2
    assert rounds.spread("bare") == (100, 400)


def test_a_table_says_of_each_side_what_came_again_in_its_worst_round_and_the_memory_it_held() -> None:
    peer = "redpanda-connect-unordered"
    runs = {
        "ours": [_run(20_000, 60, peak_mb=187)] * 3,
        peer: [_run(10_000, 90, duplicates=many, peak_mb=641) for many in (0, 1_537, 0)],
    }
    result, out = Result(Rounds(ARRAYS, 1, runs, {})), StringIO()
    print_tables([result], "none", Console(file=out, width=130))
    (ours,) = [line for line in out.getvalue().splitlines() if line.startswith("│ ours")]
    (other,) = [line for line in out.getvalue().splitlines() if peer in line]
    assert [cell.strip() for cell in ours.split("│")][7:11] == ["187", "1", "1", "0"]
    assert [cell.strip() for cell in other.split("│")][7:11] == ["641", "1", "1", "1,537"]
    sides = as_json([result], "none", {})["workloads"]["arrays"]["sides"]
    assert (sides["ours"]["most_duplicates"], sides[peer]["most_duplicates"]) == (0, 1_537)
    assert sides[peer]["peak_mb"] == 641
