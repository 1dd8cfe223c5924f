"""`scripts/sbom`: every pinned runtime package is in it, with the hashes that it is installed by."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]
_PINNED = re.compile(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)


def test_it_names_every_pinned_runtime_package_with_its_hashes(tmp_path: Path) -> None:
    if not Path(sys.executable).with_name("cyclonedx-py").exists():
        pytest.skip("cyclonedx-bom is not installed")
    pins = (_ROOT / "requirements" / "runtime.txt").read_text()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run([_ROOT / "scripts" / "sbom", str(tmp_path)], check=True, env=environment)

    document = json.loads((tmp_path / "distinct-consumer.cdx.json").read_text())
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["name"] == "distinct-consumer"
    found = {(one["name"], one["version"]) for one in document["components"]}
    assert found == set(_PINNED.findall(pins))
    hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", pins)
    assert all(one in json.dumps(document["components"]) for one in hashes)
