"""The Lua scripts of the ledger on Valkey, one for each operation: each is atomic, and one round trip."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

_PRELUDE = "--@prelude"
"""The line of a script that the shared beginning takes the place of; what stands above it stays above it."""

_BEAT = f"{_PRELUDE}\nbeat()\n"


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text, and the digest by which a server that has it already is asked to run it."""

    text: str
    sha: str
    beats: bool = False
    """Whether it keeps the owner's lease by the way: what only looks does not."""

    @staticmethod
    def read(name: str) -> "Script":
        """The script in `lua/NAME.lua`. Blocks on the file."""
        folder = files("consumer.ledger") / "lua"
        text = (folder / f"{name}.lua").read_text("utf-8")
        beats = _BEAT in text
        if _PRELUDE in text:
            text = text.replace(_PRELUDE, (folder / "prelude.lua").read_text("utf-8"))
        return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), beats)


OPEN = Script.read("open")
BEAT = Script.read("beat")
ASSIGN = Script.read("assign")
STARTS = Script.read("starts")
ADVANCE = Script.read("advance")
VENTURE = Script.read("venture")
RESERVE = Script.read("reserve")
CONFIRM = Script.read("confirm")
GIVE_BACK = Script.read("give_back")
LOOK = Script.read("look")
