"""The gate: concurrency, rate, Retry-After, halts and probes."""

from consumer.core.gate import Gate, GatePolicy
from consumer.core.retries import Backoff


def gate(**policy) -> Gate:
    return Gate(GatePolicy(backoff=Backoff(base_s=1.0, max_s=8.0), **policy), lambda: 1.0)


def start(one: Gate, count: int) -> None:
    for _ in range(count):
        one.start()


def test_no_more_than_the_limit_is_in_flight():
    one = gate(max_in_flight=3)
    assert one.permits(0.0) == 3
    start(one, 3)
    assert one.permits(0.0) == 0
    one.end()
    assert one.permits(0.0) == 1


def test_a_retry_after_is_waited_for_and_halves_the_concurrency():
    one = gate(max_in_flight=8)
    one.throttled(100.0, 7.0)
    assert one.permits(106.9) == 0
    assert one.opens_at_s(100.0) == 107.0
    assert one.permits(107.0) == 4


def test_throttled_answers_to_one_burst_halve_the_concurrency_once():
    one = gate(max_in_flight=8)
    for _ in range(5):
        one.throttled(100.0, 1.0)
    assert one.permits(101.0) == 4


def test_the_rate_is_kept():
    one = gate(max_in_flight=100, rate_per_s=10.0)
    sent = 0
    for tick in range(1000):
        now_s = tick * 0.01
        while one.permits(now_s):
            one.start()
            one.end()
            sent += 1
    assert 95 <= sent <= 112


def test_a_halt_lets_one_probe_through_at_growing_distances():
    one = gate(max_in_flight=8)
    one.halt(0.0, "401")
    assert one.permits(0.5) == 0
    assert one.permits(1.0) == 1
    one.start()
    assert one.permits(1.0) == 0
    one.end()
    one.halt(1.0, "401")
    assert one.permits(2.9) == 0
    assert one.permits(3.0) == 1


def test_answers_to_what_was_on_the_wire_at_the_halt_do_not_lengthen_it():
    one = gate(max_in_flight=8)
    start(one, 8)
    for _ in range(8):
        one.end()
        one.halt(0.0, "401")
    assert one.permits(1.0) == 1


def test_an_accepted_probe_ends_the_halt():
    one = gate(max_in_flight=8)
    one.halt(0.0, "401")
    started = one.start()
    one.end()
    assert one.delivered(started)
    assert one.halted is None
    assert one.permits(1.0) > 1


def test_an_answer_to_what_was_sent_before_the_halt_does_not_end_it():
    one = gate(max_in_flight=8)
    started = one.start()
    one.halt(0.0, "401")
    one.end()
    assert not one.delivered(started)
    assert one.halted == "401"


def test_unclear_answers_in_a_row_halt_and_a_success_between_them_does_not():
    one = gate(max_in_flight=8, breaker_after=3)
    for _ in range(2):
        one.unclear(0.0)
    one.delivered(one.start())
    for _ in range(2):
        one.unclear(0.0)
    assert one.halted is None
    one.unclear(0.0)
    assert one.halted is not None


def test_other_bounds_hold_from_the_next_request_on() -> None:
    gate = Gate(GatePolicy(max_in_flight=4), lambda: 0.5)
    assert gate.permits(0.0) == 4

    gate.retune(GatePolicy(max_in_flight=8))
    assert gate.permits(0.0) == 8, "it was not held back by the destination: it may go to the new bound"

    gate.retune(GatePolicy(max_in_flight=2, rate_per_s=10.0))
    assert gate.permits(1.0) == 1, "a tenth of a second's rate"


def test_a_limit_that_was_learnt_and_a_halt_outlast_other_bounds() -> None:
    gate = Gate(GatePolicy(max_in_flight=8), lambda: 0.5)
    gate.throttled(0.0, 0.0)
    gate.halt(0.0, "401")

    gate.retune(GatePolicy(max_in_flight=16))

    assert gate.limit == 4.0
    assert gate.halted == "401"
