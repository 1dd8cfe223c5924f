"""Distinct Touchpoint Scanner Metrics: GET /v3/touchpoint/metrics, asked, not delivered to.

Follows the vendor's page "Touchpoint Scanner Metrics". It takes the admin key, never the shared one. The page
denies that EXPERIENCE has pages and shows them in an example: `pageSize` and `offset` are sent, and what
comes tells (see touchpoint_pages).
"""

from enum import Enum
from typing import Annotated

import msgspec

PATH = "/v3/touchpoint/metrics"

Count = Annotated[int, msgspec.Meta(ge=0)]


class VisitsType(Enum):
    """Which visits of a touchpoint: each scan, or the first one of each user."""

    TOTAL = "TOTAL"
    UNIQUE = "UNIQUE"


class ExperienceQuery(msgspec.Struct, frozen=True):
    """All touchpoints of an experience, with their counts. Comes in pages, or does not."""

    experience_id: str


class UserQuery(msgspec.Struct, frozen=True):
    """What one user scanned in an experience, and when. Has no pages."""

    experience_id: str
    user_id: str


class TouchpointQuery(msgspec.Struct, frozen=True):
    """The visits of one touchpoint, in pages."""

    touchpoint_id: str
    visits: VisitsType = VisitsType.TOTAL
    experience_id: str | None = None


Query = ExperienceQuery | UserQuery | TouchpointQuery


class Slice(msgspec.Struct, frozen=True):
    """Which items are asked for: how many are skipped, and how many may come."""

    offset: int
    size: int


class TouchpointCounts(msgspec.Struct, frozen=True, rename="camel"):
    """A touchpoint of an experience."""

    id: str
    name: str
    value: str
    total_visits: Count
    unique_visits: Count


class Experience(msgspec.Struct, frozen=True, rename="camel"):
    """EXPERIENCE: one page of an experience's touchpoints, or all of them."""

    total_touchpoints: Count
    touchpoints: tuple[TouchpointCounts, ...]


class ScannedTouchpoint(msgspec.Struct, frozen=True, rename={"timestamps": "timestampsUTC"}):
    """A touchpoint that a user scanned; the times are the vendor's own text."""

    id: str
    name: str
    value: str
    total_visits: Count = msgspec.field(name="totalVisits")
    timestamps: tuple[str, ...]


class UserScans(msgspec.Struct, frozen=True, rename="camel"):
    """USER: everything at once."""

    total_touchpoints: Count
    touchpoints: tuple[ScannedTouchpoint, ...]


class Visit(msgspec.Struct, frozen=True, gc=False):
    """One scan; the time is the vendor's own text."""

    user_id: str = msgspec.field(name="userId")
    timestamp: str = msgspec.field(name="timestampUTC")


class Touchpoint(msgspec.Struct, frozen=True):
    """How a touchpoint is called."""

    id: str
    name: str
    value: str


class Visits(msgspec.Struct, frozen=True):
    """TOUCHPOINT: one page of its visits. `total` counts those of all pages, as the vendor saw them then."""

    touchpoint: Touchpoint
    total: int
    offset: int
    items: tuple[Visit, ...]


Metrics = Experience | UserScans | Visits


def parameters(query: Query, part: Slice | None) -> dict[str, str]:
    """The query's parameters under the page's names. `part` is sent wherever there may be pages."""
    paged = {} if part is None else {"pageSize": str(part.size), "offset": str(part.offset)}
    match query:
        case ExperienceQuery(experience_id):
            return {"metricsType": "EXPERIENCE", "experienceId": experience_id, **paged}
        case UserQuery(experience_id, user_id):
            return {"metricsType": "USER", "experienceId": experience_id, "userId": user_id}
        case TouchpointQuery(touchpoint_id, visits, experience):
            scope = {} if experience is None else {"experienceId": experience}
            asked = {"metricsType": "TOUCHPOINT", "touchpointId": touchpoint_id, "visitsType": visits.value}
            return {**asked, **scope, **paged}


def headers(credential: str) -> dict[str, str]:
    """Authentication by the admin key."""
    return {"x-distinct-api-key": credential, "accept": "application/json"}
