"""Retry-After: seconds and dates, capped, against a clock that is handed in."""

import pytest

from consumer.endpoints.retry_after import retry_after_s

# Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
NOW_S = 784_111_777.0


@pytest.mark.parametrize(
    ("value", "expected_s"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("600", 600.0),
    ],
)
def test_seconds_are_taken_as_they_are(value, expected_s):
    assert retry_after_s(value, NOW_S, cap_s=600.0) == expected_s


@pytest.mark.parametrize(
    "date",
    [
        "Sun, 06 Nov 1994 08:50:37 GMT",
        "Sunday, 06-Nov-94 08:50:37 GMT",
        "Sun Nov  6 08:50:37 1994",
    ],
)
def test_every_form_of_an_http_date_counts_from_the_clock(date):
    assert retry_after_s(date, NOW_S, cap_s=600.0) == 60.0


def test_a_date_in_the_past_means_now():
    assert retry_after_s("Sun, 06 Nov 1994 08:00:00 GMT", NOW_S, cap_s=600.0) == 0.0


@pytest.mark.parametrize("value", ["601", "9" * 5_000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_peer_can_park_a_destination_beyond_the_cap(value):
    assert retry_after_s(value, NOW_S, cap_s=600.0) == 600.0


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "-1",
        "+5",
        "1e3",
        "٣",
        "nan",
        "inf",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT" + " " * 10 + "x" * 100_000,
    ],
)
def test_what_is_no_retry_after_says_nothing(value):
    assert retry_after_s(value, NOW_S, cap_s=600.0) is None
