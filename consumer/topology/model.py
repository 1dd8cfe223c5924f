"""What a topology's files may say: the schema of `topology/*.yaml`, also as JSON Schema for editors.

Unknown keys are refused everywhere. What one key alone can be wrong about is said here; what depends on other
keys, on the APIs or on the records' schemas is in `validate`.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from consumer.core.cluster import RETENTION_MS
from consumer.core.compatibility import Level
from consumer.settings.json_schema import DIALECT, as_written
from consumer.settings.mistakes import Strict
from consumer.settings.units import DurationMs, SizeBytes
from consumer.topology.expression import BRANCHES as EXPRESSIONS
from consumer.topology.expression import Computed, Expression, ScalarValue
from consumer.topology.paths import NeededPath, PathText

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


def _name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise ValueError("the name must be up to 64 letters, digits, - and _")
    return text


def _topic_name(text: str) -> str:
    if _TOPIC.fullmatch(text) is None or text in (".", ".."):
        raise ValueError("the name of a topic must be up to 249 letters, digits, '.', '_' and '-'")
    return text


def _start(text: str) -> str:
    if text not in ("earliest", "latest"):
        try:
            zoned = datetime.fromisoformat(text).tzinfo is not None
        except ValueError:
            zoned = False
        if not zoned:
            raise ValueError("must be earliest, latest or a time with its zone such as 2026-04-27T13:35:00Z")
    return text


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error.msg}") from None
    return text


def _config_text(value: Any) -> Any:
    """Kafka's configs are all text; YAML knows numbers and booleans."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _several(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Name = Annotated[str, AfterValidator(_name)]
TopicName = Annotated[str, AfterValidator(_topic_name)]
TypeNames = Annotated[
    list[str], BeforeValidator(_several, json_schema_input_type=str | list[str]), Field(min_length=1)
]
ConfigText = Annotated[
    str, BeforeValidator(_config_text, json_schema_input_type=str | int | float | bool), Field(min_length=1)
]
Paths = Annotated[
    list[PathText], BeforeValidator(_several, json_schema_input_type=str | list[str]), Field(min_length=1)
]


class TopicModel(Strict):
    """A topic that is read."""

    partitions: Annotated[int, Field(ge=1, le=10_000)] = 12
    replication: Annotated[int, Field(ge=1, le=15)] = 1
    retention: DurationMs | None = None
    """How long the topic keeps records. Default: as the cluster has it."""
    configs: dict[str, ConfigText] = Field(default_factory=dict)
    """Other configs of the topic, by Kafka's names. What is not named is left as it is."""
    subject: Annotated[str, Field(min_length=1)] | None = None
    """Where `schema` is registered. Default: the topic's name and `-value`."""
    compatibility: Level | None = None
    """The subject's own compatibility. Default: as the registry has it."""
    start: Annotated[str, AfterValidator(_start)] = "earliest"
    """Where a group without a committed offset begins."""
    on_gap: Literal["stop", "earliest"] = "stop"
    """What to do where retention has passed the committed offset."""
    dead_letters: TopicName | None = None
    """Default: the topic's name and `.dead-letters`."""
    schema_: str | None = Field(None, alias="schema")
    """The records' schema, `<schema>.avsc` here or among the schemas: paths are checked against it."""
    payload_field: NeededPath | None = "payload"
    """The union whose branch is the type that `when` asks for."""
    user: Paths = Field(default_factory=list)
    """Who the record is about, if it has no key: the first of these that is there."""

    @model_validator(mode="after")
    def _said_once(self) -> "TopicModel":
        if self.retention is not None and RETENTION_MS in self.configs:
            raise ValueError(f"says retention and configs.{RETENTION_MS}: write one of them")
        return self


class BatchModel(Strict):
    """How many items go into one request, where the API takes several."""

    max_items: Annotated[int, Field(ge=1)] | None = None
    max_bytes: SizeBytes | None = None
    linger: DurationMs = 20
    """How long an array waits for more."""


class RetryModel(Strict):
    """When to try again, and when to give up."""

    base_delay: DurationMs = 200
    max_delay: DurationMs = 30_000
    unclear_votes: Annotated[int, Field(ge=1, le=100)] = 3
    """How often an item must fail unclearly, while others succeed between, until that is its own fault."""
    unknown_user_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    unknown_user_delay: DurationMs = 5_000
    """An unknown user may be registered a moment later."""


class TimeoutsModel(Strict):
    """Of one request."""

    connect: DurationMs = 5_000
    total: DurationMs = 30_000


class DestinationModel(Strict):
    """One account at a vendor."""

    api: str
    base_url: Annotated[str, Field(min_length=1)]
    """May hold `${NAME}` or `${NAME:-default}` from the environment."""
    credential: str
    """`env:NAME` or `file:/path`, never the key itself."""
    account: Name | None = None
    """Part of every key in the ledger. Default: the destination's name."""
    ca_file: str | None = None
    timeouts: TimeoutsModel = TimeoutsModel()
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = 64
    """So many requests at a time, at most."""
    adaptive: bool = True
    """Fewer while the receiver refuses more, or does no more with more. `false`: always `concurrency`."""
    rate_per_s: Annotated[float, Field(gt=0)] | None = None
    breaker_after: Annotated[int, Field(ge=1, le=1_000)] = 5
    """So many unclear answers with no success between them halt the destination until a probe succeeds."""
    batch: BatchModel = BatchModel()
    retry: RetryModel = RetryModel()
    operations: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Options of the API's operations, by the operation's name."""
    paused: bool = False
    max_refusal_ratio: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Above this share of refusals in a minute the destination halts instead of filling the dead letters."""


class ConditionModel(Strict):
    """One test of one value. An absent value passes none but `exists: false`."""

    path: PathText
    equals: ScalarValue = None
    in_: Annotated[list[ScalarValue], Field(min_length=1)] | None = Field(None, alias="in")
    exists: bool | None = None
    matches: Annotated[str, AfterValidator(_regex)] | None = None
    """A regular expression for the whole text."""
    user_agent: Literal["bots"] | None = None
    """Known crawlers, by their user agent."""
    ignore_case: bool = False
    """For the texts of equals and in."""

    @model_validator(mode="after")
    def _one_test(self) -> "ConditionModel":
        if len(self.model_fields_set - {"path", "ignore_case"}) != 1:
            raise ValueError("needs exactly one of equals, in, exists, matches, user_agent beside path")
        values = self.in_ or [self.equals]
        if self.ignore_case and not all(isinstance(value, str) for value in values):
            raise ValueError("ignore_case needs equals or in, with texts only")
        return self


def _kind(value: Any) -> str:
    return "<computed>" if isinstance(value, dict) and "cel" in value else "<condition>"


Condition = Annotated[
    Annotated[ConditionModel, Tag("<condition>")] | Annotated[Computed, Tag("<computed>")],
    Discriminator(_kind),
]
"""One test of one value, or an expression that is true or false."""

Conditions = Annotated[
    list[Condition],
    BeforeValidator(_several, json_schema_input_type=Condition | list[Condition]),
    Field(min_length=1),
]

BRANCHES: dict[str, type[Strict]] = {**EXPRESSIONS, "<condition>": ConditionModel, "<computed>": Computed}
"""The models by their tags, for messages about unknown keys."""


class WhenModel(Strict):
    """Which records: all that is said must hold. `unless`: not those for which all of its conditions hold."""

    type: TypeNames | None = None
    where: Conditions | None = None
    unless: Conditions | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> "WhenModel":
        if not self.model_fields_set - {"reason"}:
            raise ValueError("says nothing: give it type, where or unless, or leave it out")
        return self


class DropModel(WhenModel):
    """Which of the route's records are not to be sent, and why."""

    reason: Annotated[str, AfterValidator(_name)]


class OnceModel(Strict):
    """One accepted record a window of event time, or for ever."""

    window: DurationMs | None = None
    for_: Literal["ever"] | None = Field(None, alias="for")
    by: Paths | None = None
    """What shares a window. Default: the user, by the record's key."""
    at: NeededPath = "occurred_at"
    """The clock of the window: a timestamp, milliseconds since 1970, or ISO 8601 text."""
    name: Name | None = None
    """Tells windows apart that are otherwise the same: routes of one account share such windows."""

    @model_validator(mode="after")
    def _one_length(self) -> "OnceModel":
        if (self.window is None) == (self.for_ is None):
            raise ValueError("needs exactly one of window and for")
        if self.window == 0:
            raise ValueError("the window must be longer than nothing")
        return self


class RouteModel(Strict):
    """From a topic to an operation of a destination."""

    from_: str = Field(alias="from")
    to: str
    """`destination`, or `destination/operation` where its API has several."""
    when: WhenModel | None = None
    drop: list[DropModel] = Field(default_factory=list)
    map: Annotated[dict[str, Expression], Field(min_length=1)]
    key: NeededPath = "id"
    """What a duplicate is recognised by: a path, `origin` (topic, partition, offset) or `none`."""
    once: OnceModel | None = None
    ordering: Literal["key", "none"] = "key"


class TopologyModel(Strict):
    """All files of a topology together."""

    topics: dict[TopicName, TopicModel]
    destinations: dict[Name, DestinationModel]
    routes: dict[Name, RouteModel]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a topology's files. A file need not hold all three sections."""
    schema = as_written(TopologyModel.model_json_schema())
    schema.pop("required", None)
    return {"$schema": DIALECT, **schema, "title": "Topology"}
