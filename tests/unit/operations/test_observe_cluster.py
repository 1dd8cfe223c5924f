"""`check --online` looks at topics: what is missing or loses letters fails, what merely differs is a warning."""

from collections.abc import Collection

import pytest

from consumer.core.cluster import FoundCluster, FoundTopic, Wanted, WantedLetters, WantedTopic
from consumer.errors import BrokerError
from consumer.operations.observe_cluster import observe_cluster

WANTED = Wanted(
    (WantedTopic("events", 3, 1, {"retention.ms": "1000"}),),
    (WantedLetters("events.dead-letters", ("events",), 3, 1),),
    (),
)
SOUND = FoundTopic(3, 1, {"retention.ms": "1000", "max.message.bytes": "1000000"})
ROOMY = FoundTopic(1, 1, {"retention.ms": "-1", "max.message.bytes": "1065536", "cleanup.policy": "delete"})


class Cluster:
    """One that was found so, or that does not answer."""

    def __init__(self, **topics: FoundTopic) -> None:
        self._topics = {
            name.replace("letters", "events.dead-letters"): topic for name, topic in topics.items()
        }

    def look(self, topics: Collection[str]) -> FoundCluster:
        if not self._topics:
            raise BrokerError("no answer from broker.example:9092")
        return FoundCluster(1, self._topics, {})


async def told(cluster: Cluster) -> list[tuple[str, str]]:
    """State and text of each topic."""
    seen = await observe_cluster(WANTED, cluster)  # type: ignore[arg-type]
    assert (seen[0].area, seen[0].state) == ("broker", "ok")
    return [(one.state, f"{one.name}: {one.text}") for one in seen[1:]]


async def test_what_is_as_it_should_be_is_ok() -> None:
    seen = await told(Cluster(events=SOUND, letters=ROOMY))

    assert [state for state, _ in seen] == ["ok", "ok"]


async def test_a_missing_topic_fails_and_names_what_creates_it() -> None:
    events, letters = await told(Cluster(events=SOUND))

    assert events[0] == "ok"
    assert letters == ("failed", "events.dead-letters: does not exist: `topology apply` creates it")


@pytest.mark.parametrize(
    "lossy",
    [
        FoundTopic(1, 1, {**ROOMY.configs, "max.message.bytes": "1065535"}),
        FoundTopic(1, 1, {**ROOMY.configs, "retention.ms": "604800000"}),
    ],
)
async def test_a_dead_letter_topic_that_loses_letters_fails(lossy: FoundTopic) -> None:
    _, letters = await told(Cluster(events=SOUND, letters=lossy))

    assert letters[0] == "failed"
    assert "`topology apply` sets it" in letters[1]


@pytest.mark.parametrize(
    "other",
    [
        FoundTopic(2, 1, SOUND.configs),
        FoundTopic(4, 1, SOUND.configs),
        FoundTopic(3, 2, SOUND.configs),
        FoundTopic(3, 1, {**SOUND.configs, "retention.ms": "999"}),
        FoundTopic(3, 1, {**SOUND.configs, "retention.ms": "1001"}),
    ],
    ids=["fewer partitions", "more partitions", "replication", "less retention", "more retention"],
)
async def test_what_differs_and_loses_nothing_is_one_warning(other: FoundTopic) -> None:
    events, letters = await told(Cluster(events=other, letters=ROOMY))

    assert (events[0], letters[0]) == ("warning", "ok")


async def test_brokers_that_do_not_answer_are_the_one_failure() -> None:
    (seen,) = await observe_cluster(WANTED, Cluster())  # type: ignore[arg-type]

    assert (seen.area, seen.state) == ("broker", "failed")
    assert "broker.example" in seen.text
