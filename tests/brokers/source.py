"""Where the real broker of a test run comes from: one that is given, Java, Docker, or nowhere."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from tests.brokers.broker import Broker
from tests.brokers.docker_kafka import IMAGE, docker_lacks, start_docker_kafka
from tests.brokers.kafka_libs import fetch_kafka_libs, java_and_maven_lack
from tests.brokers.local_kafka import LocalKafka, answers

GIVEN = "TEST_KAFKA_BOOTSTRAP_SERVERS"


@dataclass(frozen=True, slots=True)
class Source:
    """A way to a broker that should work; `start` blocks for seconds."""

    description: str
    start: Callable[[], Broker]


@dataclass(frozen=True, slots=True)
class NoSource:
    """No way to a broker, and why not."""

    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"the real-broker suite was left out ({'; '.join(self.reasons)}). "
            f"To run it: install Java 17 and Maven, or start Docker, or set {GIVEN}=host:port"
        )


def find_source() -> Source | NoSource:
    """The first of: the given broker, Java with Maven, Docker. Fetches jars or image: may block for minutes.

    Raises `RuntimeError` if a broker is given that does not answer: a mistake to show, not to work around.
    """
    if given := os.environ.get(GIVEN):
        if not answers(given, timeout_s=20.0):
            raise RuntimeError(f"{GIVEN}={given} does not answer: start that broker, or unset the variable")
        return Source(f"the one at {given}", lambda: Broker(given, "given"))

    java_lacks = java_and_maven_lack()
    if java_lacks is None:
        try:
            libs = fetch_kafka_libs()
        except RuntimeError as error:
            java_lacks = " ".join(str(error).split())
        else:
            return Source(
                "Apache Kafka on this machine's Java", lambda: _start_on_java(lambda: LocalKafka(libs))
            )

    lacks = docker_lacks()
    if lacks is None:
        return Source(f"{IMAGE} in Docker", _start_in_docker)
    return NoSource((java_lacks, lacks))


def _start_on_java(make: Callable[[], LocalKafka]) -> Broker:
    process = make()
    try:
        process.start()
    except RuntimeError:
        # Another process may have taken a port since we looked: once more, on other ports.
        process.close()
        process = make()
        process.start()
    return Broker(process.bootstrap_servers, "java", process=process)


def _start_in_docker() -> Broker:
    bootstrap_servers, stop = start_docker_kafka()
    return Broker(bootstrap_servers, "docker", stop=stop)
