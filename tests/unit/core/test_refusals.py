"""The guard against a mass refusal."""

from consumer.core.refusals import RefusalGuard


def test_a_few_refusals_are_the_records_fault():
    guard = RefusalGuard(0.5)
    assert not any(guard.refused(float(second) / 10) for second in range(99))


def test_more_than_half_of_a_hundred_in_a_minute_are_not():
    guard = RefusalGuard(0.5)
    guard.accepted(0.0, 49)
    verdicts = [guard.refused(1.0) for _ in range(51)]
    assert verdicts == [False] * 50 + [True]


def test_exactly_half_is_not_more_than_half():
    guard = RefusalGuard(0.5)
    guard.accepted(0.0, 100)
    assert not guard.refused(0.0, 100)
    assert guard.refused(0.0)


def test_what_is_older_than_a_minute_does_not_count():
    guard = RefusalGuard(0.5)
    guard.refused(0.0, 99)
    assert not guard.refused(61.0)


def test_an_accepted_probe_starts_the_count_anew():
    guard = RefusalGuard(0.5)
    assert guard.refused(0.0, 200)
    guard.forget()
    assert not guard.refused(0.0)
