"""The tests, a package so that they can share `tests.brokers`; they ship in the sdist, not in the wheel."""
