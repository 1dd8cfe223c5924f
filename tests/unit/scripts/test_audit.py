"""`scripts/audit`: only a finding fails, and what is not known is not called clean."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_AUDIT = Path(__file__).resolve().parents[3] / "scripts" / "audit"
CLEAN = {"name": "one", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "two", "skip_reason": "not found"}
FLAWED = {"name": "three", "version": "3.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1"]}]}


def audit(folder: Path, packages: list[object] | None) -> subprocess.CompletedProcess[str]:
    """Run it with a pip-audit that answers this; None: one whose list cannot be reached."""
    stub = folder / "pip-audit"
    document = json.dumps({"dependencies": packages})
    stub.write_text(
        f"#!{sys.executable}\nimport sys\n"
        + (
            "print('ERROR: connection refused', file=sys.stderr); sys.exit(1)\n"
            if packages is None
            else f"open(sys.argv[sys.argv.index('-o') + 1], 'w').write({document!r})\n"
        )
    )
    stub.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(
        [sys.executable, str(_AUDIT)], capture_output=True, text=True, env=environment, check=False
    )


@pytest.mark.parametrize(
    ("packages", "code", "told"),
    [
        ([CLEAN, CLEAN], 0, "2 packages looked up, 0 known vulnerabilities"),
        ([CLEAN, UNKNOWN], 0, "1 of 2 packages are not on the list that answered: nothing is known of them"),
        ([CLEAN, FLAWED], 1, "three 3.0: PYSEC-1, fixed in 3.1"),
        ([UNKNOWN, FLAWED], 1, "three 3.0: PYSEC-1, fixed in 3.1"),
        (None, 0, "not done: the list of vulnerabilities did not answer (ERROR: connection refused)"),
    ],
)
def test_only_a_finding_fails_and_what_is_not_known_is_said(
    tmp_path: Path, packages: list[object] | None, code: int, told: str
) -> None:
    ended = audit(tmp_path, packages)

    assert ended.returncode == code
    assert f"audit: {told}" in ended.stdout + ended.stderr
