"""Which Avro reader is measured: the one that a run would use here, unless CONSUMER_AVRO_READER says python."""

import os

from consumer.avro.native import reader_in_use
from consumer.avro.policy import AvroPolicy

AVRO_READER = os.environ.get("CONSUMER_AVRO_READER") or "auto"
"""The setting that the consumer under measurement is given: it inherits none."""
AVRO_POLICY = AvroPolicy(native=AVRO_READER == "auto")


def described() -> str:
    """For the report: native and its version, or python."""
    return reader_in_use(AVRO_POLICY.native)
