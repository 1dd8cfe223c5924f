"""Kafka in a container, for machines that have Docker and no Java."""

import os
from collections.abc import Callable

from tests.brokers.local_kafka import TEST_SETTINGS

IMAGE = "confluentinc/cp-kafka:8.1.1"
_START_TIMEOUT_S = 120


def docker_lacks() -> str | None:
    """What keeps this machine from running the image ("no Docker engine answers"), or None if nothing does.

    May block: for seconds where an engine does not answer, for minutes while the image is pulled.
    """
    import docker
    from docker.errors import DockerException

    try:
        engine = docker.from_env(timeout=10)
        engine.ping()
    except DockerException:
        return "no Docker engine answers"
    try:
        if not _has(engine, IMAGE):
            return f"Docker has no image {IMAGE} and cannot pull it"
        # Ryuk removes containers after a crash of the tests. Where its image can't be had, do without it.
        if "TESTCONTAINERS_RYUK_DISABLED" not in os.environ and not _has(engine, _ryuk_image()):
            os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    finally:
        engine.close()
    return None


def start_docker_kafka() -> tuple[str, Callable[[], None]]:
    """Start the container; gives its bootstrap servers and what stops it. Blocks for seconds."""
    from testcontainers.community.kafka import KafkaContainer

    container = KafkaContainer(IMAGE).with_kraft()
    for key, value in TEST_SETTINGS.items():
        container.with_env("KAFKA_" + key.upper().replace(".", "_"), value)
    container.start(timeout=_START_TIMEOUT_S)
    return container.get_bootstrap_server(), container.stop


def _ryuk_image() -> str:
    from testcontainers.core.config import testcontainers_config

    return testcontainers_config.ryuk_image


def _has(engine: object, image: str) -> bool:
    """Whether the image is there, pulling it if it is not."""
    from docker.errors import APIError, ImageNotFound

    images = engine.images  # type: ignore[attr-defined]
    try:
        images.get(image)
    except ImageNotFound:
        try:
            images.pull(image)
        except APIError:
            return False
    return True
