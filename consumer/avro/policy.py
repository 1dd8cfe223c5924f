"""What decoding and looking up schemas may take."""

import msgspec


class AvroPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on what comes in. What is beyond them is undecodable, and never a fault of the process.

    `max_value_bytes` bounds one record's value. `max_schema_bytes` bounds a schema's text, references
    included. `max_depth` bounds the nesting of a schema: fastavro recurses on the C stack without a check,
    and a thread with a small stack dies at about 300 levels. `max_idle_fields` bounds how much a schema lets
    be read without using up a byte. `max_decimal_digits` bounds decimals: converting them takes quadratic
    time. `max_datum_bytes` bounds the memory of a value once it is read, and of several that are read together.
    `unknown_ttl_s` is how long an id that the registry does not know stays unknown. `max_schemas` bounds what
    is kept; the verdicts on refused and unknown ids are bounded by it apart. `native`: values may be read by native
    code, where that is installed.

    Raises ValueError for a value that makes no sense.
    """

    max_value_bytes: int = 1024 * 1024
    max_schema_bytes: int = 1024 * 1024
    max_depth: int = 64
    max_idle_fields: int = 100
    max_decimal_digits: int = 1000
    max_datum_bytes: int = 128 * 1024 * 1024
    unknown_ttl_s: float = 60.0
    max_schemas: int = 10_000
    native: bool = True

    def __post_init__(self) -> None:
        sizes = (
            self.max_value_bytes, self.max_schema_bytes, self.max_decimal_digits, self.max_schemas,
            self.max_datum_bytes,
        )  # fmt: skip
        if min(sizes) < 1 or self.max_idle_fields < 0 or self.unknown_ttl_s <= 0:
            raise ValueError("bounds must be above 0")
        if not 1 <= self.max_depth <= 200:
            raise ValueError("max_depth must be between 1 and 200")


class RegistryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a look-up in the schema registry may take.

    `timeout_s` bounds each wait of a request: to connect, to write, for the next bytes. `deadline_s` bounds
    the whole look-up, its retries and references included. `max_retries` counts repeats after the first
    attempt, each after a random wait of at most `retry_wait_max_s`. `max_answer_bytes` bounds an answer.

    Raises ValueError for a value that makes no sense.
    """

    timeout_s: float = 5.0
    deadline_s: float = 15.0
    max_retries: int = 2
    retry_wait_max_s: float = 2.0
    max_answer_bytes: int = 8 * 1024 * 1024

    def __post_init__(self) -> None:
        if not 0 < self.timeout_s <= self.deadline_s or self.max_retries < 0:
            raise ValueError("timeout_s must be above 0 and at most deadline_s, max_retries at least 0")
        if self.retry_wait_max_s < 0 or self.max_answer_bytes < 1:
            raise ValueError("retry_wait_max_s must not be negative, max_answer_bytes must be above 0")
