"""python -m tests.fuzz [--seconds S] [TARGET…]: each target for so long, guided by coverage where atheris is there.

Exits 1 where something was found: the input is in .cache/fuzz, and stays to be tried first by the next run.
"""

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_NAMES = ("framing", "decode", "mapping", "answers")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Fuzz what reads bytes of others."
    )
    parser.add_argument("target", nargs="*", choices=[[], *_NAMES], help="default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    chosen = parser.parse_args()
    kept = _ROOT / ".cache" / "fuzz"
    guided = find_spec("atheris") is not None
    if not guided:
        print("fuzz: no atheris for this Python: inputs are drawn by hypothesis, not guided by coverage")
    failed = []
    for target in chosen.target or _NAMES:
        print(f"fuzz: {target}, {chosen.seconds} s", flush=True)
        module = "tests.fuzz.guided" if guided else "tests.fuzz.drawn"
        command = [sys.executable, "-m", module, target, str(chosen.seconds), str(kept / target)]
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        if subprocess.run(command, cwd=_ROOT, env=environment, check=False).returncode:
            failed.append(target)
    print(f"fuzz: FAILED: {', '.join(failed)}, see {kept}" if failed else "fuzz: nothing found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
