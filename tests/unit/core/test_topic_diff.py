"""What a plan changes of topics: what is missing grows, what would delete or shrink is refused."""

from typing import Any

import pytest

from consumer.core.changes import AddPartitions, Change, Changes, CreateTopic, SetConfig
from consumer.core.cluster import FoundCluster, FoundTopic, Wanted, WantedLetters, WantedTopic
from consumer.core.config_values import is_lower, same_value
from consumer.core.topic_diff import diff_topic, diff_topics

DAY_MS = 86_400_000
ROOMY = {"max.message.bytes": "1114124", "retention.ms": str(30 * DAY_MS), "cleanup.policy": "delete"}


def wanted(*, partitions: int = 3, replication: int = 1, **configs: Any) -> WantedTopic:
    named = {name.replace("_", "."): value for name, value in configs.items()}
    return WantedTopic("events", partitions, replication, named)


def only(name: str, value: str) -> dict[str, Any]:
    return {name: value}


def cluster(*, brokers: int = 1, **topics: FoundTopic) -> FoundCluster:
    return FoundCluster(brokers, topics, {"max.message.bytes": "1048588"})


def found(*, partitions: int = 3, replication: int = 1, **configs: Any) -> FoundTopic:
    return FoundTopic(
        partitions, replication, {name.replace("_", "."): value for name, value in configs.items()}
    )


def refusal(changes: Changes) -> str:
    """The text of the only one; and that nothing is changed of what it is about."""
    (one,) = changes.refusals
    assert one.about == "events"
    assert changes.changes == ()
    return one.text


def test_a_missing_topic_is_created_as_it_is_wanted() -> None:
    changes = diff_topic(wanted(retention_ms="5"), cluster())

    assert changes.changes == (CreateTopic("events", 3, 1, {"retention.ms": "5"}),)


def test_a_topic_that_is_as_wanted_is_left_alone() -> None:
    standing = found(retention_ms="5", cleanup_policy="delete,compact", segment_ms="9")

    changes = diff_topic(wanted(retention_ms="5", cleanup_policy="compact, delete"), cluster(events=standing))

    assert (changes.changes, changes.refusals, changes.warnings) == ((), (), ())
    assert changes.same == 4


def test_partitions_are_added_with_a_warning_about_the_order_of_keys() -> None:
    changes = diff_topic(wanted(partitions=5), cluster(events=found()))

    assert changes.changes == (AddPartitions("events", 3, 5),)
    (caution,) = changes.warnings
    assert "out of order" in caution.text


def test_fewer_partitions_are_refused_with_what_to_write_instead() -> None:
    assert "write partitions: 3" in refusal(diff_topic(wanted(partitions=2), cluster(events=found())))


def test_another_replication_is_told_and_left() -> None:
    changes = diff_topic(wanted(replication=2), cluster(brokers=3, events=found()))

    assert changes.changes == ()
    assert "kafka-reassign-partitions" in changes.warnings[0].text


def test_a_replication_beyond_the_brokers_is_refused_before_it_is_tried() -> None:
    assert "there are 1" in refusal(diff_topic(wanted(replication=3), cluster()))


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("retention_ms", "1000", "2000"),
        ("retention_ms", "1000", "-1"),
        ("max_message_bytes", "5", "6"),
        ("cleanup_policy", "compact,delete", "compact"),
        ("segment_ms", "9", "5"),
        ("min_insync_replicas", "2", "1"),
    ],
)
def test_a_config_is_set_where_nothing_is_lost_by_it(name: str, before: str, after: str) -> None:
    changes = diff_topic(wanted(**only(name, after)), cluster(events=found(**only(name, before))))

    assert changes.changes == (SetConfig("events", name.replace("_", "."), before, after),)
    assert changes.refusals == ()


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("retention_ms", "2000", "1000"),
        ("retention_ms", "-1", "1000"),
        ("retention_bytes", "-1", "1000"),
        ("max_message_bytes", "6", "5"),
        ("cleanup_policy", "delete", "compact"),
        ("cleanup_policy", "compact", "compact,delete"),
    ],
)
def test_a_config_that_deletes_or_shrinks_is_refused(name: str, before: str, after: str) -> None:
    text = refusal(diff_topic(wanted(**only(name, after)), cluster(events=found(**only(name, before)))))

    assert f"{before} → {after}" in text
    assert "kafka-configs" in text


def of_letters(source: WantedTopic, standing: FoundCluster) -> Changes:
    """Those of the dead-letter topic alone."""
    letters = WantedLetters("events.dead-letters", ("events",), 3, 1)
    both = diff_topics(Wanted((source,), (letters,), ()), standing)

    def about(change: Change) -> bool:
        return getattr(change, "topic", "") == letters.name

    return Changes(tuple(filter(about, both.changes)), (), both.warnings)


def test_a_dead_letter_topic_has_room_for_the_largest_record_and_its_headers_and_thirty_days() -> None:
    (new,) = of_letters(wanted(max_message_bytes="2000000"), cluster()).changes

    assert isinstance(new, CreateTopic)
    assert new.configs == {
        "max.message.bytes": str(2_000_000 + 64 * 1024),
        "retention.ms": str(30 * DAY_MS),
        "cleanup.policy": "delete",
    }


@pytest.mark.parametrize(
    ("standing", "room"),
    [
        (cluster(), 1_048_588),
        (cluster(events=found(max_message_bytes="3000000")), 3_000_000),
        (FoundCluster(1, {}, {}), 1_048_588),
        (FoundCluster(1, {}, {"max.message.bytes": "7000000"}), 7_000_000),
    ],
    ids=["the cluster's default", "the topic's own", "no default is told", "another default"],
)
def test_what_the_source_takes_now_counts_where_the_topology_says_nothing(
    standing: FoundCluster, room: int
) -> None:
    (new,) = of_letters(wanted(), standing).changes

    assert isinstance(new, CreateTopic)
    assert new.configs["max.message.bytes"] == str(room + 64 * 1024)


def test_a_dead_letter_topic_gets_what_it_lacks_and_keeps_what_is_more() -> None:
    little = FoundTopic(1, 1, {**ROOMY, "max.message.bytes": "1000000", "retention.ms": "-1"})

    standing = FoundCluster(
        1, {"events": found(), "events.dead-letters": little}, {"max.message.bytes": "1048588"}
    )
    changes = of_letters(wanted(), standing)

    assert changes.changes == (SetConfig("events.dead-letters", "max.message.bytes", "1000000", "1114124"),)


def test_a_dead_letter_topic_that_loses_letters_is_told() -> None:
    lossy = FoundTopic(1, 1, {**ROOMY, "cleanup.policy": "compact", "retention.bytes": "5000"})

    changes = of_letters(wanted(), FoundCluster(1, {"events": found(), "events.dead-letters": lossy}, {}))

    told = [caution.text for caution in changes.warnings]
    assert "deletes the earlier one" in told[0]
    assert "before their 30 days" in told[1]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("0.5", "0.50", True),
        ("1e3", "1000", True),
        ("true", "true", True),
        ("delete,compact", "compact , delete", True),
        ("5", "6", False),
        ("lz4", "zstd", False),
    ],
)
def test_values_are_compared_by_what_they_mean(one: str, other: str, same: bool) -> None:
    assert same_value(one, other) is same


def test_a_negative_limit_is_none() -> None:
    assert is_lower("5", "-1")
    assert not is_lower("-1", "5")
    assert not is_lower("-1", "-1")
    assert not is_lower("producer", "5")
