"""One target under atheris, which looks for inputs that reach lines not reached before: TARGET SECONDS FOLDER."""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["consumer"], enable_loader_override=False):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.seeds import SEEDS


def main(target: str, seconds: int, folder: Path) -> None:
    """Never returns: libFuzzer ends the process, with 0 where nothing was found."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[target]):
        (corpus / f"seed-{number}").write_bytes(seed)
    run = TARGETS[target]
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            "-max_len=4096",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
            "-verbosity=0",
            f"-artifact_prefix={folder}/",
            str(corpus),
        ],
        run,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
