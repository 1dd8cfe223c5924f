"""Where keys come from, and that nobody sees them."""

import os
from pathlib import Path

import pytest

from consumer.errors import FaultError
from consumer.topology.credential import (
    CredentialProblem,
    CredentialSource,
    UnresolvedCredential,
    is_reference,
    resolve,
)


def source(reference: str, environment: dict[str, str] | None = None) -> CredentialSource:
    found = resolve(reference, environment or {})
    assert not isinstance(found, CredentialProblem), found
    return found


def test_a_key_comes_from_the_environment() -> None:
    assert source("env:KEY", {"KEY": " pk_1\n"}).read() == "pk_1"


def test_a_key_comes_from_a_file_by_reference_or_by_the_variable_with_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("pk_1\n")

    assert source(f"file:{file}").read() == "pk_1"
    assert source("env:KEY", {"KEY_FILE": str(file)}).read() == "pk_1"


def test_a_rotated_file_is_picked_up(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("pk_1")
    key = source(f"file:{file}")
    file.write_text("pk_2")
    os.utime(file, ns=(1, 1))

    assert key.read() == "pk_2"


def test_a_file_swapped_for_another_of_the_same_age_and_size_is_picked_up(tmp_path: Path) -> None:
    """As Kubernetes does it: a link to a new directory."""
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"pk_{name}")
        os.utime(tmp_path / name, ns=(1, 1))
    link = tmp_path / "key"
    link.symlink_to(tmp_path / "one")
    key = source(f"file:{link}")
    link.unlink()
    link.symlink_to(tmp_path / "two")

    assert key.read() == "pk_two"


@pytest.mark.parametrize("halfway", ["", "\n", "pk_\r\nx: y", None])
def test_a_rotation_caught_halfway_keeps_the_old_key(tmp_path: Path, halfway: str | None) -> None:
    file = tmp_path / "key"
    file.write_text("pk_1")
    key = source(f"file:{file}")
    if halfway is None:
        file.unlink()
    else:
        file.write_text(halfway)
        os.utime(file, ns=(1, 1))

    assert key.read() == "pk_1"

    file.write_text("pk_2")
    assert key.read() == "pk_2"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "KEY is not set"),
        ({"KEY": ""}, "KEY is not set"),
        ({"KEY": "a b\tc"}, "one line of printable ASCII"),
        ({"KEY": "clé"}, "one line of printable ASCII"),
        ({"KEY": "a", "KEY_FILE": "/b"}, "both KEY and KEY_FILE are set"),
        ({"KEY_FILE": "/nowhere"}, "the file /nowhere does not exist"),
    ],
)
def test_a_reference_that_leads_nowhere_says_so(environment: dict[str, str], said: str) -> None:
    problem = resolve("env:KEY", environment)

    assert isinstance(problem, CredentialProblem)
    assert said in problem


def test_showing_a_credential_shows_its_reference_only(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("pk_secret")

    for one in (source("env:KEY", {"KEY": "pk_secret"}), source(f"file:{file}")):
        assert "pk_secret" not in f"{one!r} {one}"
        assert one.reference in repr(one)


def test_what_was_not_resolved_cannot_be_sent() -> None:
    with pytest.raises(FaultError, match="env:KEY"):
        UnresolvedCredential("env:KEY").read()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env:CLIENT_API_KEY", True),
        ("file:/run/secrets/key", True),
        ("file:relative", False),
        ("env:", False),
        ("env:my-key", False),
        ("env:5", False),
        ("pk_dbf68c87", False),
        ("Bearer env:X", False),
        ("", False),
    ],
)
def test_a_reference_is_told_from_a_key(text: str, expected: bool) -> None:
    assert is_reference(text) is expected
