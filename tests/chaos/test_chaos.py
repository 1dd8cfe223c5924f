"""A minute of chaos: `make chaos` is for longer, and for other seeds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.brokers.kafka_libs import java_and_maven_lack

ROOT = Path(__file__).resolve().parents[2]
SEED = 1


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.skipif(java_and_maven_lack() is not None, reason="restarts a broker of its own on Java")
def test_a_minute_of_chaos_leaves_the_books_balanced() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--seconds", "60", "--seed", str(SEED), "--output", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3_000:] + done.stdout[-6_000:]
    books = json.loads(done.stdout)
    assert books["balanced"]
    assert books["lost"] == 0
    assert len(books["acts"]) > 5, "too few faults to show anything"
