"""The command, with polls that hang while the file exists that TEST_HANGS_WHILE names."""

import os
import time
from pathlib import Path

from consumer.cli import main
from consumer.kafka.owner import Owner

WHILE = "TEST_HANGS_WHILE"


def _hang_in_polls() -> None:
    file = Path(os.environ[WHILE])
    turn = Owner._turn

    def hanging(self: Owner) -> None:
        while file.exists():
            time.sleep(0.05)
        turn(self)

    Owner._turn = hanging  # type: ignore[method-assign]


if __name__ == "__main__":
    _hang_in_polls()
    main()
