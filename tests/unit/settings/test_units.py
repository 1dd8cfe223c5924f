"""Durations and sizes, as people write them and as they are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.settings.units import parse_duration, parse_size, show_duration, show_size


@pytest.mark.parametrize(
    ("text", "ms"),
    [("500ms", 500), ("0s", 0), ("20s", 20_000), ("20m", 1_200_000), ("1h", 3_600_000), ("7d", 604_800_000)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize("text", ["", "20", "20 m", "m", "-1s", "1.5h", "1h30m", "20M", "1w", 20, None, True])
def test_what_is_no_duration_is_refused_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match="such as 500ms, 20s, 20m, 1h or 7d"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("800B", 800), ("512KiB", 524_288), ("1MiB", 2**20), ("2GiB", 2**31)]
)
def test_a_size_is_a_number_and_a_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "512", "512KB", "512 KiB", "1.5MiB", "-1B", 512, None])
def test_what_is_no_size_is_refused_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match="such as 800B, 512KiB or 64MiB"):
        parse_size(text)


@given(st.integers(0, 10**9))
def test_what_is_shown_can_be_written_again(number: int) -> None:
    assert parse_duration(show_duration(number)) == number
    assert parse_size(show_size(number)) == number


def test_the_shortest_exact_form_is_shown() -> None:
    assert [show_duration(ms) for ms in (0, 1_500, 60_000, 1_200_000, 86_400_000)] == [
        "0ms",
        "1500ms",
        "1m",
        "20m",
        "1d",
    ]
    assert [show_size(size) for size in (0, 1_000, 524_288, 2**20)] == ["0B", "1000B", "512KiB", "1MiB"]
