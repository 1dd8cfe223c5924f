"""What the end of a request without an answer means."""

import pytest

from consumer.endpoints.outcome import Halted, Late, Unclear
from consumer.endpoints.transport import outcome_of
from consumer.http.sender import LATE, Failure, FailureKind

ADDRESS = "receiver.example:443"


@pytest.mark.parametrize("kind", [FailureKind.CONNECT, FailureKind.DNS, FailureKind.TLS])
def test_without_a_connection_the_destination_halts_and_no_record_is_blamed(kind):
    assert isinstance(outcome_of(Failure(kind, "", sent=False), ADDRESS), Halted)


@pytest.mark.parametrize(
    "kind", [FailureKind.TIMEOUT, FailureKind.RESET, FailureKind.PROTOCOL, FailureKind.BODY_TOO_LARGE]
)
def test_a_lost_answer_is_unclear(kind):
    assert isinstance(outcome_of(Failure(kind, "", sent=True), ADDRESS), Unclear)


@pytest.mark.parametrize("kind", [FailureKind.TIMEOUT, FailureKind.RESET, FailureKind.PROTOCOL])
def test_what_certainly_never_left_is_not_in_doubt(kind):
    assert isinstance(outcome_of(Failure(kind, "", sent=False), ADDRESS), Halted)


def test_what_was_late_is_nobodys_fault():
    assert outcome_of(LATE, ADDRESS) == Late()


def test_every_kind_of_failure_has_its_own_reason_and_repeats_nothing_of_the_clients_text():
    outcomes = {
        outcome_of(Failure(kind, "https://secret.example", sent=True), ADDRESS) for kind in FailureKind
    }
    assert len(outcomes) == len(FailureKind)
    assert not any("secret" in repr(outcome) for outcome in outcomes)
