"""Where the real broker comes from, and what is said where there is none."""

import pytest

from tests.brokers import NoSource, Source, find_source, source
from tests.brokers.ports import free_ports


def test_without_any_source_one_line_says_why_and_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(source.GIVEN, raising=False)
    monkeypatch.setattr(source, "java_and_maven_lack", lambda: "no Java")
    monkeypatch.setattr(source, "docker_lacks", lambda: "no Docker engine answers")

    found = find_source()

    assert isinstance(found, NoSource)
    line = str(found)
    assert "\n" not in line
    for part in ("left out", "no Java", "no Docker engine", "install Java 17 and Maven", source.GIVEN):
        assert part in line


def test_when_maven_cannot_fetch_docker_is_asked_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> None:
        raise RuntimeError("Maven could not fetch Kafka: no route\nto host")

    monkeypatch.delenv(source.GIVEN, raising=False)
    monkeypatch.setattr(source, "java_and_maven_lack", lambda: None)
    monkeypatch.setattr(source, "fetch_kafka_libs", unreachable)
    monkeypatch.setattr(source, "docker_lacks", lambda: None)

    found = find_source()

    assert isinstance(found, Source)
    assert "Docker" in found.description


def test_a_given_broker_that_does_not_answer_is_a_mistake_and_not_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv(source.GIVEN, f"127.0.0.1:{port}")
    monkeypatch.setattr(source, "answers", lambda _address, *, timeout_s: False)

    with pytest.raises(RuntimeError, match=source.GIVEN):
        find_source()
