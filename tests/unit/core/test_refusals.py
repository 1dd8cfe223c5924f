"""The guard against a mass refusal."""

from consumer.core.refusals import IN_A_ROW, RefusalGuard


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


def in_a_row() -> RefusalGuard:
    return RefusalGuard(0.5, in_a_row=IN_A_ROW)


def test_an_outage_after_much_was_accepted_is_seen_long_before_it_is_more_than_half():
    guard = in_a_row()
    guard.accepted(0.0, 600_000)
    assert [guard.refused(1.0) for _ in range(200)] == [False] * 199 + [True]


def test_an_outage_is_seen_however_slowly_the_records_come():
    guard = in_a_row()
    assert [guard.refused(30.0 * number) for number in range(200)] == [False] * 199 + [True]


def test_one_acceptance_in_between_says_that_it_is_the_records():
    guard = in_a_row()
    guard.accepted(0.0, 1_000)
    guard.refused(0.0, 199)
    guard.accepted(0.0)
    assert not guard.refused(0.0, 199)


def test_whoever_allows_every_refusal_is_not_stopped_by_a_row_of_them():
    guard = RefusalGuard(1.0, in_a_row=IN_A_ROW)
    assert not guard.refused(0.0, 10_000)


def test_an_accepted_probe_also_ends_the_row():
    guard = in_a_row()
    guard.accepted(0.0, 1_000)
    assert guard.refused(0.0, 200)
    guard.forget()
    assert not guard.refused(0.0)
