"""The schema of the generated events."""

import json
from typing import Any

from consumer.resources import schemas_dir


def user_event_schema() -> Any:
    """The shipped schema as JSON. Blocks for a small file."""
    return json.loads(user_event_text())


def user_event_text() -> str:
    """The shipped schema as its file has it, and as `topology apply` registers it: some registries take other white
    space for another version. Blocks for a small file."""
    return (schemas_dir() / "user-event.avsc").read_text("utf-8")
