"""Kafka's properties looked at again: what is handed on, and what is said to need a restart."""

import logging
import os
from pathlib import Path

import pytest

from consumer.cli.kafka_rotation import KafkaRotation
from consumer.settings.properties import read_properties
from tests.kubernetes_secret import put_secret

BEFORE = "sasl.username=team\nsasl.password=canary-first\n"


def rotation(file: Path, used: list[tuple[str, str]]) -> KafkaRotation:
    options = read_properties(file).options
    return KafkaRotation(file, options, lambda username, password: used.append((username, password)))


def test_a_new_password_is_handed_on_once_also_when_it_is_as_long_and_as_old(tmp_path: Path) -> None:
    file = put_secret(tmp_path / "secret", "kafka.properties", BEFORE)
    used: list[tuple[str, str]] = []
    looking = rotation(file, used)
    before = os.stat(file)

    looking.look()
    put_secret(tmp_path / "secret", "kafka.properties", BEFORE.replace("first", "other"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    looking.look()
    looking.look()

    assert used == [("team", "canary-other")]


@pytest.mark.parametrize("half", ["", "sasl.username=team\nsasl.password\n", None])
def test_a_file_that_is_half_written_or_gone_changes_nothing_and_the_whole_one_is_used(
    tmp_path: Path, half: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text(BEFORE)
    used: list[tuple[str, str]] = []
    looking = rotation(file, used)

    if half is None:
        file.unlink()
    else:
        file.write_text(half)
    looking.look()
    assert used == []
    file.write_text(BEFORE.replace("first", "second"))
    looking.look()

    assert used == [("team", "canary-second")]
    assert "canary" not in caplog.text


def test_what_the_client_cannot_exchange_is_named_without_its_value(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    key = tmp_path / "key.pem"
    key.write_text("one")
    file = tmp_path / "kafka.properties"
    file.write_text(f"ssl.key.location={key}\nssl.key.password=canary-first\n")
    used: list[tuple[str, str]] = []
    looking = rotation(file, used)

    key.write_text("another")
    file.write_text(f"ssl.key.location={key}\nssl.key.password=canary-second\n")
    looking.look()

    assert used == []
    assert "ssl.key.password as of the next start only" in caplog.text
    assert f"{key} has changed: Kafka's client uses it from the next start on only" in caplog.text
    assert "canary" not in caplog.text
