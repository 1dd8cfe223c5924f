"""What one request is filled with: items of many lanes, or of one that are collapsed into one object."""

from consumer.core.lanes import Lanes
from consumer.endpoints.collapsing import Collapsing
from consumer.pipeline.work import Delivery


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
