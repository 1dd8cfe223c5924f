"""What a topology asks of a cluster and its registry."""

from collections.abc import Iterable
from pathlib import Path

from consumer.core.cluster import Wanted, WantedLetters, WantedSubject, WantedTopic
from consumer.errors import ConfigurationError
from consumer.topology.avro_schema import schema_file
from consumer.topology.plan import Plan, Topic


def wanted_of(plan: Plan, folders: Iterable[Path]) -> Wanted:
    """Topics, dead-letter topics and subjects, each once. Blocks on the schemas' files, which lie in `folders`.

    Raises ConfigurationError where two topics want different schemas under one subject.
    """
    topics = list(plan.topics.values())
    return Wanted(
        topics=tuple(WantedTopic(one.name, one.partitions, one.replication, one.configs) for one in topics),
        letters=tuple(_letters(topics)),
        subjects=tuple(_subjects(topics, list(folders))),
    )


def _letters(topics: list[Topic]) -> Iterable[WantedLetters]:
    """One may serve several topics: it is then as large as the largest of them."""
    for name in dict.fromkeys(topic.dead_letters for topic in topics):
        sources = [topic for topic in topics if topic.dead_letters == name]
        yield WantedLetters(
            name,
            tuple(source.name for source in sources),
            max(source.partitions for source in sources),
            max(source.replication for source in sources),
        )


def _subjects(topics: list[Topic], folders: list[Path]) -> Iterable[WantedSubject]:
    wanted: dict[str, WantedSubject] = {}
    for topic in topics:
        file = schema_file(topic.schema, folders) if topic.schema is not None else None
        if file is None:
            continue  # that it is missing was told when the topology was loaded
        subject = WantedSubject(topic.subject, file.read_text("utf-8"), topic.compatibility)
        if wanted.setdefault(topic.subject, subject) != subject:
            text = f"topics.{topic.name}: {topic.subject} is wanted with another schema or compatibility too"
            raise ConfigurationError([text])
    return wanted.values()
