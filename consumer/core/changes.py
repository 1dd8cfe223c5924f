"""What would be changed in a cluster, and what is refused: values that a plan shows and an apply carries out."""

from collections.abc import Mapping

import msgspec


class CreateTopic(msgspec.Struct, frozen=True, tag="create_topic", tag_field="change"):
    """A topic that does not exist yet."""

    topic: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


class AddPartitions(msgspec.Struct, frozen=True, tag="add_partitions", tag_field="change"):
    """More partitions: from now on keys fall into others than before."""

    topic: str
    before: int
    after: int


class SetConfig(msgspec.Struct, frozen=True, tag="set_config", tag_field="change"):
    """One config of a topic; `before` is the effective value, None where the broker does not tell it."""

    topic: str
    name: str
    before: str | None
    after: str


class RegisterSchema(msgspec.Struct, frozen=True, tag="register_schema", tag_field="change"):
    """A schema as the next version of a subject. `known` is how many versions there are."""

    subject: str
    known: int
    text: str


class SetCompatibility(msgspec.Struct, frozen=True, tag="set_compatibility", tag_field="change"):
    """A subject's own compatibility level."""

    subject: str
    before: str
    after: str


TopicChange = CreateTopic | AddPartitions | SetConfig
SubjectChange = RegisterSchema | SetCompatibility
Change = TopicChange | SubjectChange


class Refused(msgspec.Struct, frozen=True):
    """What was asked for and is not done, because it deletes or shrinks; `text` says why, and what to do."""

    about: str
    text: str


class Caution(msgspec.Struct, frozen=True):
    """What a person should know before the changes are made, or that no change can mend."""

    about: str
    text: str


class Changes(msgspec.Struct, frozen=True):
    """The whole difference. With a refusal nothing is carried out; `same` counts what is as it should be."""

    changes: tuple[Change, ...] = ()
    refusals: tuple[Refused, ...] = ()
    warnings: tuple[Caution, ...] = ()
    same: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(
            self.changes + other.changes,
            self.refusals + other.refusals,
            self.warnings + other.warnings,
            self.same + other.same,
        )
