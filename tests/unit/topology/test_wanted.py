"""What a topology asks of a cluster: topics with their configs, dead-letter topics, subjects."""

import json

import pytest

from consumer.core.cluster import Wanted, WantedLetters, WantedTopic
from consumer.errors import ConfigurationError
from consumer.topology.wanted import wanted_of
from tests.unit.topology.workshop import FILE, SCHEMA, Workshop

OTHER = """\
topics:
  sales:
    partitions: 20
    replication: 3
    schema: SCHEMA
    subject: SUBJECT
    dead_letters: visits.dead-letters
routes:
  sold: {from: sales, to: crm/events, map: {name: {const: Sold}, external_id: who}}
"""


def of(workshop: Workshop, **of_topic: str) -> Wanted:
    """The usual topology with these keys of its topic."""
    keys = "".join(f"    {key}: {value}\n" for key, value in of_topic.items())
    workshop.write("t.yaml", FILE.replace("    schema: visit\n", f"    schema: visit\n{keys}"))
    return wanted_of(workshop.load(), [workshop.folder])


def with_sales(workshop: Workshop, schema: str, subject: str) -> Wanted:
    workshop.write("u.yaml", OTHER.replace("SCHEMA", schema).replace("SUBJECT", subject))
    return of(workshop)


def test_retention_and_configs_are_kafkas_texts(workshop: Workshop) -> None:
    configs = (
        "{min.insync.replicas: 2, preallocate: true, cleanup.policy: delete, min.cleanable.dirty.ratio: 0.5}"
    )

    (topic,) = of(workshop, retention="7d", configs=configs, partitions="3").topics

    assert topic == WantedTopic(
        "visits",
        3,
        1,
        {
            "min.insync.replicas": "2",
            "preallocate": "true",
            "cleanup.policy": "delete",
            "min.cleanable.dirty.ratio": "0.5",
            "retention.ms": "604800000",
        },
    )


def test_what_is_not_said_is_not_claimed(workshop: Workshop) -> None:
    wanted = of(workshop)

    assert wanted.topics[0].configs == {}
    assert [(one.name, one.level) for one in wanted.subjects] == [("visits-value", None)]


def test_the_subject_has_the_schema_of_the_file_and_the_level_that_is_said(workshop: Workshop) -> None:
    (subject,) = of(workshop, subject="shop-visits", compatibility="FULL").subjects

    assert (subject.name, subject.level) == ("shop-visits", "FULL")
    assert json.loads(subject.text) == SCHEMA


def test_a_dead_letter_topic_of_two_sources_is_as_large_as_the_larger(workshop: Workshop) -> None:
    wanted = with_sales(workshop, "visit", "sales-value")

    assert wanted.letters == (WantedLetters("visits.dead-letters", ("visits", "sales"), 20, 3),)
    assert [one.name for one in wanted.subjects] == ["visits-value", "sales-value"]


def test_one_subject_cannot_have_two_schemas(workshop: Workshop) -> None:
    workshop.write("other.avsc", json.dumps({**SCHEMA, "name": "Sale"}))

    with pytest.raises(ConfigurationError) as caught:
        with_sales(workshop, "other", "visits-value")

    assert caught.value.findings == [
        "topics.sales: visits-value is wanted with another schema or compatibility too"
    ]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (
            {"retention": "7d", "configs": "{retention.ms: 5}"},
            "says retention and configs.retention.ms: write one",
        ),
        ({"retention": "7"}, "must be a duration such as"),
        ({"configs": "{retention.ms: [5]}"}, "must be text"),
        ({"compatibility": "FULLY"}, "must be NONE, BACKWARD"),
        ({"partitons": "5"}, "unknown key; did you mean partitions?"),
    ],
)
def test_mistakes_are_told(workshop: Workshop, keys: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        of(workshop, **keys)

    assert text in caught.value.findings[0]
