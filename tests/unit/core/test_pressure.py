"""Back-pressure with hysteresis."""

from consumer.core.pressure import Pressure, PressurePolicy


def test_polling_pauses_at_the_bound_and_resumes_at_half_of_it():
    pressure = Pressure(PressurePolicy(max_pending=100, max_pending_bytes=10_000))
    pressure.add(99, 10)
    assert not pressure.turned()
    pressure.add(1, 10)
    assert pressure.turned()
    assert pressure.paused
    pressure.add(-49, 0)
    assert not pressure.turned()
    pressure.add(-1, 0)
    assert pressure.turned()
    assert not pressure.paused


def test_bytes_count_as_records_do():
    pressure = Pressure(PressurePolicy(max_pending=100, max_pending_bytes=1000))
    pressure.add(1, 1000)
    assert pressure.turned()
    pressure.add(0, -499)
    assert not pressure.turned()
    pressure.add(0, -1)
    assert pressure.turned()
