"""Who has which partitions, as the consumers say themselves."""

from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage


def partitions_of(consumer: ConsumerProcess) -> set[int]:
    """Empty where it does not answer."""
    status = consumer.status()
    return set() if status is None else {one["partition"] for one in status["partitions"]}


def share(stage: Stage, *consumers: ConsumerProcess, timeout_s: float = 60.0) -> None:
    """Wait until each has partitions, each partition has one owner, and none is left out."""
    count = len(stage.broker.end_offsets(stage.topic))

    def shared() -> bool:
        held = [partitions_of(consumer) for consumer in consumers]
        return all(held) and sum(map(len, held)) == count == len(set().union(*held))

    stage.wait_until(shared, timeout_s, lambda: str([partitions_of(consumer) for consumer in consumers]))
