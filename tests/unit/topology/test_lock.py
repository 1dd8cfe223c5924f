"""A renamed route is noticed by the lock that was written before."""

from pathlib import Path

import pytest

from consumer.errors import ConfigurationError, UsageError
from consumer.resources import topology_dir
from consumer.topology.directory import read_directory
from consumer.topology.lock import changes_since, locked_routes, read_lock, write_lock
from tests.unit.topology.workshop import FILE, Workshop


def lock(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)
    write_lock(workshop.folder, locked_routes(read_directory(workshop.folder)))


def changes(workshop: Workshop) -> list[tuple[str, str]]:
    """Key and text of each."""
    locked = read_lock(workshop.folder)
    assert locked is not None
    return [(one.key, one.text) for one in changes_since(locked, read_directory(workshop.folder))]


def test_what_was_locked_and_is_unchanged_says_nothing(workshop: Workshop) -> None:
    lock(workshop)

    assert changes(workshop) == []


def test_a_route_under_another_name_is_named_with_its_old_one(workshop: Workshop) -> None:
    lock(workshop)
    workshop.change("  looked:\n", "  page-seen:\n")

    ((key, text),) = changes(workshop)

    assert key == "routes.page-seen"
    assert text.startswith("seems to be looked under a new name: what was delivered before is not recognised")


def test_one_that_was_changed_and_renamed_is_known_by_a_name_like_it(workshop: Workshop) -> None:
    lock(workshop)
    text = FILE.replace("  looked:\n", "  looked-at:\n").replace("{const: Looked}", "{const: Seen}")
    workshop.write("t.yaml", text)

    assert [key for key, _ in changes(workshop)] == ["routes.looked-at"]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("credential: env:CRM_KEY", "credential: env:CRM_KEY\n    account: shop", "its account was crm"),
        ("    to: crm/events\n", "    to: crm/events\n    key: origin\n", "its key was id and is origin now"),
    ],
)
def test_another_account_or_key_is_as_good_as_another_name(
    workshop: Workshop, old: str, new: str, text: str
) -> None:
    lock(workshop)
    workshop.change(old, new)

    ((key, said),) = changes(workshop)

    assert key == "routes.looked"
    assert said.startswith(text)


def test_routes_that_are_new_or_gone_are_nobodys_mistake(workshop: Workshop) -> None:
    lock(workshop)
    more = "  other:\n    from: visits\n    to: stats\n    when: {type: Bought}\n    key: none\n    map: {userId: id}\n"
    workshop.write("t.yaml", FILE + more)
    assert changes(workshop) == []

    workshop.write("t.yaml", FILE.partition("  bought:")[0])
    assert changes(workshop) == []


def test_without_a_lock_there_is_nothing_to_hold_against(workshop: Workshop) -> None:
    assert read_lock(workshop.folder) is None


def test_a_damaged_lock_is_named_with_its_line(workshop: Workshop) -> None:
    workshop.write("topology.lock", "# routes\nlooked visits crm\n")

    with pytest.raises(ConfigurationError, match=r"topology\.lock:2: is no line of a lock"):
        read_lock(workshop.folder)


def test_a_folder_that_takes_no_lock_is_said_so(workshop: Workshop) -> None:
    with pytest.raises(UsageError, match="can't be written"):
        write_lock(Path(workshop.folder, "nowhere"), [])


def test_the_shipped_topology_has_a_lock_that_holds() -> None:
    locked = read_lock(topology_dir())

    assert locked
    assert list(changes_since(locked, read_directory(topology_dir()))) == []
