"""Phone numbers: E.164, a country code that is assigned, and a length that the country's plan has."""

import pytest

from consumer.endpoints import checks, phones


@pytest.mark.parametrize(
    "number",
    [
        "+14155552671",  # the page's own
        "+442071838750",
        "+390669812345",  # Italy keeps the zero
        "+4930123456",
        "+80012345678",  # no country: international freephone
        "+3541234567",
        "+15550000001",  # no range given out, but a number that could be
    ],
)
def test_possible_numbers_pass(number):
    assert phones.e164(number) is None


@pytest.mark.parametrize(
    "number",
    [
        "+1415555267",  # a digit short
        "+141555526711",  # a digit long
        "+5552671",  # a local number, with a + before it
        "+4420718387501",  # two digits long
        "+99912345678",  # nobody has +999
        "+21012345678",
        "+12",
    ],
)
def test_numbers_that_no_country_has_are_refused(number):
    assert phones.e164(number) == phones.NOT_POSSIBLE


@pytest.mark.parametrize("number", ["14155552671", "+1 415 555 2671", "+1-415-555-2671", "tel:+14155552671"])
def test_the_way_it_is_written_is_judged_first(number):
    assert phones.e164(number) == checks.NOT_E164


@pytest.mark.parametrize(("value", "reason"), [(14155552671, checks.NOT_TEXT), ("", checks.BLANK)])
def test_what_is_no_number_at_all_is_called_what_it_is(value, reason):
    assert phones.e164(value) == reason
