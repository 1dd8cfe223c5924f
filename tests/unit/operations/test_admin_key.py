"""The admin key is never the shared key."""

from pathlib import Path

import pytest

from consumer.errors import ConfigurationError
from consumer.operations.admin_key import AdminKey


def test_the_key_comes_from_the_environment_or_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("admin-2\n")

    assert AdminKey({"DISTINCT_ADMIN_API_KEY": "admin-1", "DISTINCT_API_KEY": "shared"}).read() == "admin-1"
    assert AdminKey({"DISTINCT_ADMIN_API_KEY_FILE": str(file)}).read() == "admin-2"


@pytest.mark.parametrize("admin_in_file", [False, True])
@pytest.mark.parametrize("shared_in_file", [False, True])
def test_the_shared_key_is_refused_wherever_the_two_come_from(
    tmp_path: Path, admin_in_file: bool, shared_in_file: bool
) -> None:
    file = tmp_path / "key"
    file.write_text("hunter2-hunter2\n")
    environment = {
        **(
            {"DISTINCT_ADMIN_API_KEY_FILE": str(file)}
            if admin_in_file
            else {"DISTINCT_ADMIN_API_KEY": "hunter2-hunter2"}
        ),
        **(
            {"DISTINCT_API_KEY_FILE": str(file)}
            if shared_in_file
            else {"DISTINCT_API_KEY": "hunter2-hunter2"}
        ),
    }

    with pytest.raises(ConfigurationError) as refusal:
        AdminKey(environment)

    assert "DISTINCT_ADMIN_API_KEY is the same key as DISTINCT_API_KEY" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_the_shared_key_is_not_taken_where_there_is_no_admin_key() -> None:
    with pytest.raises(ConfigurationError, match="DISTINCT_ADMIN_API_KEY is not set"):
        AdminKey({"DISTINCT_API_KEY": "shared"})


def test_a_shared_key_that_cannot_be_read_cannot_be_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        AdminKey({"DISTINCT_ADMIN_API_KEY": "admin", "DISTINCT_API_KEY_FILE": str(tmp_path / "none")})


def test_a_rotation_to_the_shared_key_is_refused_too(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("admin")
    key = AdminKey({"DISTINCT_ADMIN_API_KEY_FILE": str(file), "DISTINCT_API_KEY": "shared-key"})
    assert key.read() == "admin"
    file.write_text("shared-key")

    with pytest.raises(ConfigurationError, match="is the same key"):
        key.read()
