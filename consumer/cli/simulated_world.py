"""The file that `simulate --world` reads: what the vendors have on record, in a team's own words."""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from consumer.errors import ConfigurationError
from consumer.sandbox.simulator import DOCUMENTED_PAIRS, Touchpoint, Visit
from consumer.settings.document import read_document
from consumer.settings.mistakes import Strict, findings_of


class VisitModel(Strict):
    """One scan."""

    user_id: str
    timestamp_utc: str

    def made(self) -> Visit:
        """Raises ValueError for what is no moment."""
        return Visit(user_id=self.user_id, timestamp_utc=self.timestamp_utc)

    @model_validator(mode="after")
    def _is_sound(self) -> "VisitModel":
        self.made()
        return self


class TouchpointModel(Strict):
    """A place to scan."""

    id: str
    name: str
    value: str
    experience_id: str
    visits: list[VisitModel] = Field(default_factory=list)

    def made(self) -> Touchpoint:
        """Raises ValueError where it lacks an id or an experience."""
        return Touchpoint(
            id=self.id,
            name=self.name,
            value=self.value,
            experience_id=self.experience_id,
            visits=tuple(visit.made() for visit in self.visits),
        )

    @model_validator(mode="after")
    def _is_sound(self) -> "TouchpointModel":
        self.made()
        return self


class WorldModel(Strict):
    """All keys may be left out: then the simulator knows every user and every experience of the right shape."""

    users: list[str] | None = None
    """userIds, emails and phones; with them everybody else is unknown."""
    experiences: list[str] | None = None
    experience_values: list[str] | None = None
    pairs: dict[str, list[str]] = Field(default_factory=dict)
    """Features with their actions, beside the documented ones."""
    touchpoints: list[TouchpointModel] | None = None
    experience_pages: bool = True
    allowed_ips: list[str] | None = None
    event_open_names: list[str] | None = None
    client_time_key: str | None = None


def read_world(file: Path) -> dict[str, Any]:
    """What to change of a SimulatorConfig. Blocks; raises ConfigurationError with every mistake in the file."""
    document = read_document(file)
    if document.findings:
        raise ConfigurationError([str(finding) for finding in document.findings])
    try:
        world = WorldModel.model_validate(document.values)
    except ValidationError as error:
        findings = findings_of(error, WorldModel, document, {})
        raise ConfigurationError([str(finding) for finding in findings]) from None
    added = {(feature, action) for feature, actions in world.pairs.items() for action in actions}
    changes: dict[str, Any] = {
        "pairs": DOCUMENTED_PAIRS | added,
        "experience_pages": world.experience_pages,
    }
    for name in ("users", "experiences", "experience_values", "allowed_ips", "event_open_names"):
        listed = getattr(world, name)
        if listed is not None:
            changes[name] = frozenset(listed)
    if world.touchpoints is not None:
        changes["touchpoints"] = tuple(touchpoint.made() for touchpoint in world.touchpoints)
    if world.client_time_key is not None:
        changes["client_time_key"] = world.client_time_key
    return changes
