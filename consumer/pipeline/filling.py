"""What one request is filled with: items of many lanes, or of one that are collapsed into one object."""

from collections.abc import Iterable

from consumer.core.lanes import Lanes
from consumer.endpoints.collapsing import Collapsing
from consumer.endpoints.endpoint import Operation
from consumer.pipeline.batch import Batch
from consumer.pipeline.sink_policy import SinkPolicy
from consumer.pipeline.work import Delivery


class Filling:
    """Makes batches of what stands in the lanes, and remembers since when an array waits for more."""

    def __init__(self, lanes: Lanes[Delivery]) -> None:
        self._lanes = lanes
        self._since_s: dict[Operation, float] = {}

    def batches(
        self, policy: SinkPolicy, operation: Operation, lanes: int, room: int, now_s: float
    ) -> tuple[list[Batch], bool]:
        """At most `room` batches of one operation, of so many ready lanes; and whether to look again at once, because
        those lanes were emptied meanwhile, or begin with another operation now."""
        out: list[Batch] = []
        most = min(operation.max_items, policy.max_items)
        # Each item's size counts a comma; with the brackets an array is one byte more than its items.
        room_bytes = min(operation.max_body_bytes, policy.max_bytes) - 1
        collapsing = operation if most > 1 and isinstance(operation, Collapsing) else None
        while len(out) < room and lanes > 0:
            if collapsing is not None:
                # No linger: what one lane has is there at once, or comes while the lane is under way.
                members = take_collapsible(self._lanes, collapsing, most, room_bytes)
                lanes -= 1
            else:
                if lanes < most and now_s < self._since_s.setdefault(operation, now_s) + policy.linger_s:
                    break
                members = self._lanes.take(operation, most, room_bytes)
                self._since_s.pop(operation, None)
                lanes -= len(members)
            if not members:
                return out, True
            out.append(Batch(operation, members))
        return out, False

    def forget_all_but(self, operations: Iterable[Operation]) -> None:
        """Nothing of the others is there to be filled."""
        if self._since_s:
            due = set(operations)
            self._since_s = {one: at_s for one, at_s in self._since_s.items() if one in due}

    def due_at_s(self, policy: SinkPolicy) -> list[float]:
        """When arrays that are being filled go as they are."""
        return [since_s + policy.linger_s for since_s in self._since_s.values()]


def take_collapsible(
    lanes: Lanes[Delivery], operation: Collapsing, max_items: int, max_bytes: int
) -> list[Delivery]:
    """Take what stands in one lane now and may become one object; none if no lane is ready any more."""
    members = lanes.take(operation, max_items, max_bytes, one_lane=True)
    if len(members) > 1:
        count = operation.joint([one.body for one in members])
        if count < len(members):
            lanes.give_back(members[count:])
            return members[:count]
    return members
