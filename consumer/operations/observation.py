"""What an online check has seen of one thing."""

from typing import Literal

import msgspec

State = Literal["ok", "warning", "failed", "untested"]


class Observation(msgspec.Struct, frozen=True):
    """`area` is broker, topic, registry, subject, ledger or credential; `text` holds no secret."""

    area: str
    name: str
    state: State
    text: str
