"""One destination by itself: the part of a topology that leads to it."""

from pathlib import Path

from consumer.errors import ConfigurationError
from consumer.settings.mistakes import nearest
from consumer.topology.model import TopologyModel


def only_to(destination: str, topology: TopologyModel, directory: Path) -> TopologyModel:
    """Its routes, and the topics that they are from; nothing else exists there.

    Raises ConfigurationError for a destination that there is not, or that no route leads to.
    """
    if destination not in topology.destinations:
        text = f"there is no destination {destination}" + nearest(destination, topology.destinations)
        raise ConfigurationError([f"{directory}: {text}"])
    routes = {name: one for name, one in topology.routes.items() if one.to.partition("/")[0] == destination}
    if not routes:
        raise ConfigurationError(
            [f"{directory}: no route leads to {destination}: there would be nothing to do"]
        )
    sources = {one.from_ for one in routes.values()}
    return TopologyModel.model_construct(
        topics={name: topic for name, topic in topology.topics.items() if name in sources},
        destinations={destination: topology.destinations[destination]},
        routes=routes,
    )


def group_of(group: str, destination: str) -> str:
    """The consumer group that serves one destination, beside those that serve others of the same group."""
    return f"{group}.{destination}"
