"""What is wrong with a schema: in itself, for our decoder, and towards the versions that went before it."""

from collections.abc import Sequence

from consumer.avro.defaults import wrong_defaults
from consumer.avro.history import Version
from consumer.avro.policy import AvroPolicy
from consumer.avro.proof import parse_avro, prove
from consumer.avro.schemas import compile_schema
from consumer.avro.undecodable import Undecodable


def lint(version: Version, earlier: Sequence[Version], level: str, policy: AvroPolicy) -> list[str]:
    """Each fault as a text that names its file or version and place; empty for a sound schema.

    `earlier`: oldest first. Faults of earlier versions among themselves are history, and not told.
    """
    try:
        parsed = parse_avro(version.text)
    except ValueError as error:
        return [f"{version.name} {error}"]
    found = [f"{version.name}: {text}" for text in wrong_defaults(parsed)]
    verdict = compile_schema(version.text, policy)
    # A wrong default makes it "invalid" too, which says less.
    if isinstance(verdict, Undecodable) and not found:
        found.append(f"{version.name}: its records could not be decoded: {verdict.reason}")
    return found + prove(level, [*earlier, version])
