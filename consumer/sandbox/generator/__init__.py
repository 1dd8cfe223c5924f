"""Realistic events for a topic, by seed: duplicates, repeated opens, bots, unknown users, poison."""

from consumer.sandbox.generator.child import generate_in_child
from consumer.sandbox.generator.emission import Emission
from consumer.sandbox.generator.kind import Kind
from consumer.sandbox.generator.mix import Mix
from consumer.sandbox.generator.plan import Plan
from consumer.sandbox.generator.produced import Produced
from consumer.sandbox.generator.producer import generate
from consumer.sandbox.generator.stream import Stream
from consumer.sandbox.generator.subject import user_event_schema, user_event_text
from consumer.sandbox.generator.target import Target
from consumer.sandbox.generator.topic import ensure_topic

__all__ = [
    "Emission",
    "Kind",
    "Mix",
    "Plan",
    "Produced",
    "Stream",
    "Target",
    "ensure_topic",
    "generate",
    "generate_in_child",
    "user_event_schema",
    "user_event_text",
]
