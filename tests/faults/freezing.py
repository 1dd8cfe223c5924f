"""The command, stopped before the first byte of a request while the file exists that TEST_FREEZES_WHILE names."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consumer.cli import main
from consumer.http.httptools_sender import HttptoolsSender
from consumer.http.sender import Answer, Failure

WHILE = "TEST_FREEZES_WHILE"


def _freeze_while(file: Path) -> None:
    if file.exists():
        os.kill(os.getpid(), signal.SIGSTOP)


def _freeze_at_requests() -> None:
    file = Path(os.environ[WHILE])
    post = HttptoolsSender.post

    async def freezing(
        self: HttptoolsSender, url: str, headers: Mapping[str, str], body: bytes, *rest: Any
    ) -> Answer | Failure:
        _freeze_while(file)
        return await post(self, url, headers, body, *rest)

    HttptoolsSender.post = freezing  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    _freeze_at_requests()
    main()
