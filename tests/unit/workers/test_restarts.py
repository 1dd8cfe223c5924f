"""What follows when a worker ends."""

import pytest

from consumer.errors import ConfigurationError, ConsumerError, FaultError, RefusedError, StoppedError
from consumer.workers.restarts import (
    Again,
    EndAll,
    Over,
    RestartPolicy,
    describe,
    error_of,
    next_step,
    worst,
)
from consumer.workers.worker_process import End

POLICY = RestartPolicy(base_s=1.0, max_s=10.0, attempts=6)


def step(
    code: int, *, failures: int = 1, until_end: bool = False, any_joined: bool = True
) -> Again | Over | EndAll:
    return next_step(POLICY, code, failures=failures, until_end=until_end, any_joined=any_joined)


@pytest.mark.parametrize("code", [-9, -11, -6, 1, 0])
def test_a_worker_that_ends_unasked_is_started_again(code: int) -> None:
    assert step(code) == Again(1.0)


def test_the_delay_grows_up_to_its_bound_and_in_the_end_all_is_given_up() -> None:
    assert [step(-9, failures=n) for n in range(1, 7)] == [
        *(Again(seconds) for seconds in (1.0, 2.0, 4.0, 8.0, 10.0)),
        EndAll(),
    ]


@pytest.mark.parametrize("code", [2, 3, 4])
def test_what_the_others_would_meet_as_well_ends_all_at_once(code: int) -> None:
    assert step(code) == EndAll()
    assert step(code, until_end=True) == EndAll()


def test_a_fault_before_any_worker_was_ready_ends_all_as_it_would_end_a_single_one() -> None:
    assert step(1, any_joined=False) == EndAll()
    assert step(-9, any_joined=False) == Again(1.0), "a kill says nothing of the configuration"


def test_one_that_has_reached_the_end_is_not_started_again() -> None:
    assert step(0, until_end=True) == Over()
    assert step(-9, until_end=True) == Again(1.0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(1, FaultError), (2, ConfigurationError), (3, StoppedError), (4, RefusedError), (-9, FaultError)],
)
def test_the_run_ends_with_the_code_of_what_ended_it(code: int, kind: type[ConsumerError]) -> None:
    error = error_of(2, End(code))

    assert type(error) is kind
    assert error.exit_code == (1 if code < 0 else code)


def test_a_mistake_in_the_configuration_reads_as_without_workers() -> None:
    error = error_of(2, End(2, findings=["a.yaml:1: x", "a.yaml:2: y"]))

    assert isinstance(error, ConfigurationError)
    assert error.findings == ["a.yaml:1: x", "a.yaml:2: y"]


def test_other_reasons_name_their_worker() -> None:
    assert str(error_of(2, End(3, findings=["a gap"]))) == "worker 2: a gap"
    assert str(error_of(2, End(-9))) == "worker 2 was killed by SIGKILL"
    assert describe(-99) == "was killed by signal 99"


def test_the_exit_code_is_the_worst() -> None:
    stopped, fault, refused, usage = (error_of(1, End(code)) for code in (3, 1, 4, 2))

    assert worst([]) is None
    assert worst([stopped, fault]) is fault
    assert worst([refused, fault, stopped]) is refused
    assert worst([refused, usage]) is usage
