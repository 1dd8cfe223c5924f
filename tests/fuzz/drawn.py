"""One target over its seeds and what hypothesis draws, where there is no atheris: TARGET SECONDS FOLDER."""

import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS


def damaged(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """Any bytes, and sound inputs with any bytes in a place of theirs."""

    def put(seed: bytes, at: int, piece: bytes, over: bool) -> bytes:
        at %= len(seed) + 1
        return seed[:at] + piece + seed[at + (len(piece) if over else 0) :]

    return st.binary(max_size=200) | st.builds(
        put, st.sampled_from(seeds), st.integers(0, 4095), st.binary(max_size=12), st.booleans()
    )


def drawn(target: str, examples: int) -> None:
    """Raises what the target raises."""
    run = TARGETS[target]
    for seed in SEEDS[target]:
        run(seed)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(damaged(SEEDS[target]))
    def draw(data: bytes) -> None:
        run(data)

    draw()


if __name__ == "__main__":
    until_s = time.monotonic() + int(sys.argv[2])
    Path(sys.argv[3]).mkdir(parents=True, exist_ok=True)
    while time.monotonic() < until_s:
        drawn(sys.argv[1], 500)
