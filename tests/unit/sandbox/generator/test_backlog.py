"""The generator waits for the reader of a broker that drops what it has no room for."""

from consumer.sandbox.generator.backlog import Backlog


class Group:
    def __init__(self) -> None:
        self.positions: dict[int, int] = {}

    def __call__(self) -> dict[int, int]:
        return self.positions


def filled(group: Group, *, limit_bytes: int = 10_000) -> Backlog:
    backlog = Backlog(limit_bytes, group)
    for offset in range(20):
        backlog.add(0, offset, 900)
    backlog.add(1, 0, 900)
    return backlog


def test_it_is_full_when_one_partition_holds_more_unread_than_the_limit() -> None:
    group = Group()

    assert filled(group).full
    assert not filled(group, limit_bytes=30_000).full


def test_a_group_that_has_committed_nothing_yet_has_read_nothing() -> None:
    backlog = filled(Group())

    assert not backlog.refresh()
    assert backlog.full


def test_what_the_group_commits_makes_room() -> None:
    group = Group()
    backlog = filled(group)

    group.positions = {0: 9}
    assert backlog.refresh()
    assert backlog.full, "11 records of 1,020 bytes are more than 10,000"

    group.positions = {0: 11}
    assert backlog.refresh()
    assert not backlog.full


def test_a_commit_elsewhere_makes_no_room_here() -> None:
    group = Group()
    backlog = filled(group)

    group.positions = {1: 1}

    assert backlog.refresh()
    assert backlog.full


def test_the_same_position_again_is_no_progress() -> None:
    group = Group()
    backlog = filled(group)
    group.positions = {0: 9}

    assert backlog.refresh()
    assert not backlog.refresh()
