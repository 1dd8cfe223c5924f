"""What a dead letter says of its record."""

import msgspec


class Grave(msgspec.Struct, frozen=True):
    """Why a record, or one delivery of it, is dead-lettered. `route` and `destination` are empty for
    undecodable ones.
    """

    reason: str
    destination: str = ""
    route: str = ""
    status: int | None = None
    attempts: int = 0
