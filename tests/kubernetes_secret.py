"""A secret as Kubernetes mounts it: each version a folder, and a link that is swapped."""

import os
from pathlib import Path


def put_secret(folder: Path, name: str, text: str) -> Path:
    """Write it, or exchange it whole; gives the path that a setting names."""
    folder.mkdir(exist_ok=True)
    version = folder / f"..version-{sum(1 for _ in folder.iterdir())}"
    version.mkdir()
    (version / name).write_text(text)
    (folder / "..data_tmp").symlink_to(version.name)
    os.replace(folder / "..data_tmp", folder / "..data")
    if not (folder / name).is_symlink():
        (folder / name).symlink_to(f"..data/{name}")
    return folder / name
