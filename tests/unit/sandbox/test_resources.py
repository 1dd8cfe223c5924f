"""The shipped folders are found in a checkout and in an installed package."""

from pathlib import Path

import pytest

from consumer import resources
from consumer.errors import UsageError


def test_a_checkout_has_its_folders_beside_the_package() -> None:
    assert (resources.schemas_dir() / "user-event.avsc").is_file()


def test_an_installed_package_prefers_its_own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "consumer"
    (package / "_data" / "schemas").mkdir(parents=True)
    (package / "_data" / "topology").mkdir()
    (tmp_path / "schemas").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)

    assert resources.schemas_dir() == package / "_data" / "schemas"
    assert resources.topology_dir() == package / "_data" / "topology"


def test_a_broken_installation_is_named_with_the_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "consumer")

    with pytest.raises(UsageError, match=r"schemas/ is missing .*install"):
        resources.schemas_dir()
