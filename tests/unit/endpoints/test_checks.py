"""The checks that all APIs share: each lets the good through and names what is wrong with the rest."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from consumer.endpoints import checks


def nested(levels: int) -> dict[str, object]:
    """An object with `levels` of nesting, itself counted, alternately objects and arrays."""
    value: object = {} if levels % 2 else []
    for level in range(levels - 1, 0, -1):
        value = {"in": value} if level % 2 else [value]
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("number", ["+14155552671", "+442071838750", "+123456789012345"])
def test_e164_numbers_pass(number):
    assert checks.e164(number) is None


@pytest.mark.parametrize(
    "number",
    [
        "14155552671",
        "+1 415 555 2671",
        "+1-415-555-2671",
        "+04155552671",
        "+1234567890123456",
        "+",
        "+1",
        "0014155552671",
        "+1415555267x",
        "+١٢٣٤٥٦٧٨",
        "+14155552671\n",
        "tel:+14155552671",
    ],
)
def test_what_is_not_e164_is_refused(number):
    assert checks.e164(number) == checks.NOT_E164


def test_a_phone_number_given_as_a_number_is_refused():
    assert checks.e164(14155552671) == checks.NOT_TEXT


@pytest.mark.parametrize(
    "value",
    [
        "2026-04-27T13:35:00Z",
        "2026-04-27T13:35:00.123Z",
        "2026-04-27T13:35:00.123456789Z",
        "2026-04-27T13:35:00+02:00",
        "2026-04-27T13:35:00-11:30",
        "2024-02-29T00:00:00Z",
        datetime(2026, 4, 27, 13, 35, tzinfo=UTC),
        datetime(2026, 4, 27, 13, 35, tzinfo=ZoneInfo("Europe/Bucharest")),
    ],
)
def test_timestamps_with_an_offset_pass(value):
    assert checks.timestamp(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2026-04-27",
        "2026-04-27T13:35:00",
        "2026-04-27T13:35Z",
        "2026-04-27 13:35:00Z",
        "2026-04-27t13:35:00z",
        "20260427T133500Z",
        "2026-02-30T13:35:00Z",
        "2025-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-13-01T13:35:00Z",
        "2026-04-27T24:00:00Z",
        "2026-04-27T13:60:00Z",
        "2026-04-27T13:35:60Z",
        "2026-04-27T13:35:00+2:00",
        "2026-04-27T13:35:00+24:00",
        "2026-04-27T13:35:00,5Z",
        "2026-04-27T13:35:00Z\n",
        "2026-W18-1T13:35:00Z",
        "٢٠٢٦-04-27T13:35:00Z",
        "27 Apr 2026 13:35:00 GMT",
        "1777296900",
        1777296900,
        1777296900.5,
        date(2026, 4, 27),
    ],
)
def test_what_is_no_complete_timestamp_is_refused(value):
    assert checks.timestamp(value) == checks.NOT_A_TIMESTAMP


def test_a_datetime_without_a_zone_is_no_instant():
    assert checks.timestamp(datetime(2026, 4, 27, 13, 35)) == checks.NO_ZONE


def test_an_offset_with_seconds_would_be_cut_and_move_the_instant():
    odd = timezone(timedelta(hours=1, seconds=30))
    assert checks.timestamp(datetime(2026, 4, 27, tzinfo=odd)) == checks.ODD_OFFSET


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0"])
def test_blank_text_counts_as_absent(blank):
    assert checks.text(blank) == checks.BLANK
    assert checks.text_up_to(255)(blank) == checks.BLANK
    assert checks.e164(blank) == checks.BLANK


def test_length_is_counted_in_characters_not_bytes():
    check = checks.text_up_to(255)
    assert check("é" * 255) is None
    assert check("é" * 256) == "is longer than 255 characters"


@pytest.mark.parametrize("level", [1, 2, 3])
def test_nesting_passes_up_to_the_32nd_level_of_the_body(level):
    check = checks.json_object(level)
    assert check(nested(33 - level)) is None
    assert check(nested(34 - level)) == checks.TOO_DEEP


def test_a_very_deep_object_is_refused_without_running_out_of_stack():
    assert checks.json_object(1)(nested(100_001)) == checks.TOO_DEEP


@pytest.mark.parametrize("value", [[], "text", 3, None, b"", [("a", 1)]])
def test_only_an_object_is_an_object(value):
    assert checks.json_object(1)(value) == checks.NOT_OBJECT


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**63),
        2**64 - 1,
        1.5,
        "text",
        "",
        datetime(2026, 4, 27, tzinfo=UTC),
        date(2026, 4, 27),
        time(13, 35),
        UUID(int=1),
        Decimal("49.90"),
        Decimal(0).scaleb(-999),
        [],
        (1, "a"),
        {},
    ],
)
def test_values_with_a_json_form_pass_wherever_they_are(value):
    check = checks.json_object(1)
    assert check({"a": value}) is None
    assert check({"a": [{"b": value}]}) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), checks.NOT_A_NUMBER),
        (float("inf"), checks.NOT_A_NUMBER),
        (float("-inf"), checks.NOT_A_NUMBER),
        (Decimal("NaN"), checks.NOT_A_NUMBER),
        (Decimal("sNaN"), checks.NOT_A_NUMBER),
        (Decimal("-Infinity"), checks.NOT_A_NUMBER),
        (Decimal("1E+400"), checks.TOO_LARGE_A_NUMBER),
        (2**64, checks.TOO_LARGE_A_NUMBER),
        (-(2**63) - 1, checks.TOO_LARGE_A_NUMBER),
        pytest.param(10**5_000, checks.TOO_LARGE_A_NUMBER, id="5000 digits"),
        (b"bytes", checks.BINARY),
        (bytearray(b"bytes"), checks.BINARY),
        (memoryview(b"bytes"), checks.BINARY),
        (datetime(2026, 4, 27), checks.NO_ZONE),
        ({1, 2}, checks.UNKNOWN_TYPE),
        (object(), checks.UNKNOWN_TYPE),
        (1j, checks.UNKNOWN_TYPE),
        ({1: "a"}, checks.KEY_NOT_TEXT),
        ({None: "a"}, checks.KEY_NOT_TEXT),
    ],
)
def test_values_without_a_json_form_are_refused_wherever_they_are(value, reason):
    check = checks.json_object(1)
    assert check({"a": value}) == reason
    assert check({"fine": 1, "a": [1, {"b": value}]}) == reason
