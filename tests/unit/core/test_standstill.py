"""Since when something has not moved, and whether something has stopped turning."""

from consumer.core.pulse import Pulse, ran_s
from consumer.core.standstill import Standstill


def test_what_keeps_its_mark_stands_still_and_what_changes_it_begins_anew():
    watched = Standstill[str]()
    assert watched.look({"a": 1, "b": 1}, 10.0) == {"a": 0.0, "b": 0.0}
    assert watched.look({"a": 1, "b": 2}, 15.0) == {"a": 5.0, "b": 0.0}
    assert watched.look({"a": 1, "b": 2}, 20.0) == {"a": 10.0, "b": 5.0}


def test_what_was_not_shown_for_one_look_did_not_stand_still():
    watched = Standstill[str]()
    watched.look({"a": 1}, 10.0)
    watched.look({}, 100.0)
    assert watched.look({"a": 1}, 110.0) == {"a": 0.0}


def test_a_pulse_that_stops_is_stalled_after_its_limit_and_not_once_it_beats_again():
    pulse = Pulse(5.0)
    pulse.look(1.0, 0.5)
    for _ in range(10):
        pulse.look(1.0, 0.5)
    assert not pulse.stalled
    pulse.look(1.0, 0.5)
    assert pulse.stalled
    pulse.look(2.0, 0.5)
    assert not pulse.stalled


def test_a_pulse_without_anything_to_turn_for_never_stalls():
    pulse = Pulse(5.0)
    for _ in range(100):
        pulse.look(None, 0.5)
    assert not pulse.stalled


def test_a_process_that_was_stopped_did_not_run_and_one_whose_own_code_kept_the_lock_did():
    assert ran_s(elapsed_s=600.0, cpu_s=0.01, interval_s=0.5) == 1.0
    assert ran_s(elapsed_s=8.0, cpu_s=7.9, interval_s=0.5) == 7.9
    assert ran_s(elapsed_s=0.5, cpu_s=0.9, interval_s=0.5) == 0.5
