"""Refused credentials: for how long they may merely be in the middle of being exchanged."""

from consumer.core.rotations import RotationPatience


def test_a_refusal_is_borne_while_an_exchange_may_last_and_no_longer() -> None:
    patience = RotationPatience(patience_s=60.0, quiet_s=30.0)

    assert [patience.is_over(float(now_s)) for now_s in range(0, 80, 10)] == [False] * 7 + [True]


def test_a_success_in_between_begins_it_anew() -> None:
    patience = RotationPatience(patience_s=60.0, quiet_s=30.0)

    assert not any(patience.is_over(float(now_s)) for now_s in (0, 20, 40, 60, 100, 120, 140))
