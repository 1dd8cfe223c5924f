"""A simulator that shared the sender's code would share its misreadings."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[4]

_PROGRAM = """
import sys
import consumer.sandbox.simulator, consumer.sandbox.simulator.__main__
print("\\n".join(name for name in sys.modules if name.startswith("consumer.")))
"""


def test_it_imports_nothing_of_the_sender():
    loaded = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, cwd=_ROOT
    ).stdout.split()
    allowed = ("consumer.sandbox", "consumer.errors", "consumer.clock", "consumer.listening")
    assert "consumer.sandbox.simulator.client_api" in loaded
    assert [name for name in loaded if not name.startswith(allowed)] == []
