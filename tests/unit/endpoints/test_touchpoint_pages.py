"""When the pages are all there, whatever comes in between."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.endpoints.touchpoint_pages import ExperiencePages, VisitPages
from consumer.endpoints.touchpoints import Experience, Slice, Touchpoint, TouchpointCounts, Visit, Visits

HERE = Touchpoint("tp-1", "Entry Scan", "entry_scan")


def scans(*users: str) -> list[Visit]:
    return [Visit(user, "2024-01-01T10:00:00Z") for user in users]


def page(items: list[Visit], part: Slice, *, at_most: int = 100, total: int | None = None) -> Visits:
    cut = items[part.offset : part.offset + min(part.size, at_most)]
    return Visits(HERE, len(items) if total is None else total, part.offset, tuple(cut))


def read(items: list[Visit], size: int, *, at_most: int = 100) -> tuple[VisitPages, list[Slice]]:
    pages, asked = VisitPages(size), []
    while (part := pages.following) is not None:
        asked.append(part)
        pages.take(page(items, part, at_most=at_most))
    return pages, asked


@pytest.mark.parametrize(
    ("count", "size", "offsets"), [(0, 2, [0]), (1, 2, [0]), (2, 2, [0]), (3, 2, [0, 2]), (6, 2, [0, 2, 4])]
)
def test_the_visits_end_at_the_total_and_not_with_an_empty_page(count, size, offsets):
    items = scans(*(f"user-{number}" for number in range(count)))

    pages, asked = read(items, size)

    assert [part.offset for part in asked] == offsets
    assert pages.all() == items
    assert pages.complete(None)


def test_a_server_that_gives_less_than_asked_for_is_followed():
    items = scans("a", "b", "c", "d", "e")

    pages, asked = read(items, 50, at_most=2)

    assert [part.offset for part in asked] == [0, 2, 4]
    assert pages.all() == items


def test_an_empty_page_before_the_total_ends_the_pass_which_is_then_not_complete():
    pages = VisitPages(2)
    pages.take(page(scans("a", "b"), Slice(0, 2), total=5))
    pages.take(page([], Slice(2, 2), total=5))

    assert pages.following is None
    assert not pages.complete(None)
    assert pages.certain() == scans("a", "b")


def test_a_visit_that_comes_in_before_the_page_boundary_makes_up_no_second_one():
    before, after = scans("b", "c", "d"), scans("a", "b", "c", "d")
    pages = VisitPages(2)
    pages.take(page(before, Slice(0, 2)))
    pages.take(page(after, Slice(2, 2)))

    assert pages.all() == scans("b", "c", "c", "d")
    assert not pages.complete(None)
    assert pages.certain() == scans("b", "c", "d")


def test_equals_across_pages_count_when_a_second_pass_says_the_same():
    items = scans("a", "b", "b", "c")
    first, _ = read(items, 2)
    second, _ = read(items, 2)

    assert not first.complete(None)
    assert first.certain() == scans("a", "b", "c")
    assert second.complete(first)
    assert second.all() == items


def test_a_total_that_was_counted_before_its_page_was_cut_is_not_believed():
    # Both totals agree, and still "b2" came twice: it was moved to the second page by the new "a".
    pages = VisitPages(2)
    pages.take(page(scans("b", "b2"), Slice(0, 2), total=3))
    pages.take(page(scans("a", "b", "b2"), Slice(2, 2), total=3))
    later, _ = read(scans("a", "b", "b2", "c"), 2)

    assert not pages.complete(None)
    assert pages.certain() == scans("b", "b2")
    assert later.complete(pages)
    assert later.all() == scans("a", "b", "b2", "c")


def test_equals_on_one_page_are_certain_at_once():
    pages, _ = read(scans("a", "a", "b"), 3)

    assert pages.complete(None)
    assert pages.all() == scans("a", "a", "b")


@given(
    st.lists(st.sampled_from("abc"), max_size=12),
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 12), st.sampled_from("abc")), max_size=5),
)
def test_whatever_comes_in_while_pages_are_read_none_is_made_up(users, size, arrivals):
    """Arrivals: before which page, at which place, who."""
    items, pages, number = scans(*users), VisitPages(size), 0
    while (part := pages.following) is not None:
        for _, place, user in [one for one in arrivals if one[0] == number]:
            items.insert(place, *scans(user))
        pages.take(page(items, part))
        number += 1

    found = pages.all() if pages.complete(None) else pages.certain()

    assert not Counter(found) - Counter(items)


def counts(*ids: str) -> tuple[TouchpointCounts, ...]:
    return tuple(TouchpointCounts(one, f"The {one}", one, 1, 1) for one in ids)


def test_an_experience_that_comes_in_pages_is_read_to_its_total():
    pages = ExperiencePages(2)
    pages.take(Experience(3, counts("a", "b")))
    assert pages.following == Slice(2, 2)
    pages.take(Experience(3, counts("c")))

    assert pages.following is None
    assert pages.complete
    assert [one.id for one in pages.touchpoints()] == ["a", "b", "c"]


def test_an_experience_that_comes_at_once_whatever_is_asked_for_is_read_once():
    pages = ExperiencePages(2)
    pages.take(Experience(3, counts("a", "b", "c")))

    assert pages.following is None
    assert pages.complete


def test_a_page_that_adds_no_touchpoint_is_the_end():
    pages = ExperiencePages(2)
    pages.take(Experience(5, counts("a", "b")))
    pages.take(Experience(5, counts("a", "b")))

    assert pages.following is None
    assert not pages.complete
    assert pages.taken == 2
