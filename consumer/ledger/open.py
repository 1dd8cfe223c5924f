"""A ledger by its URL."""

from pathlib import Path

from consumer.clock import Clock
from consumer.errors import ConfigurationError
from consumer.ledger.ledger import Ledger
from consumer.ledger.memory import MemoryLedger
from consumer.ledger.memory_store import MemoryStore
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite import SqliteLedger
from consumer.ledger.valkey_address import Access, ValkeyAddress

_FORMS = "use sqlite:///relative/path, sqlite:////absolute/path, rediss://user@host:6379/0 or memory:"
_SERVED = frozenset({"redis", "rediss", "valkey", "valkeys"})


def open_ledger(
    url: str, group: str, policy: LedgerPolicy, clock: Clock, access: Access | None = None
) -> Ledger:
    """The ledger that `LEDGER_URL` names, for one consumer group; the caller opens it.

    `access`: what a server asks of us beside the URL. Raises ConfigurationError where the URL names no ledger.
    Its text never repeats the URL, which may hold a password.
    """
    scheme, colon, rest = url.partition(":")
    match scheme if colon else "":
        case "memory":
            if rest.strip("/"):
                raise _error("memory: takes no path: the ledger in memory has no file")
            return MemoryLedger(MemoryStore(), group, policy, clock)
        case "sqlite":
            return SqliteLedger(_path(rest), group, policy, clock)
        case served if served in _SERVED:
            # Here, because its client takes longer to import than all other commands take.
            from consumer.ledger.valkey import ValkeyLedger

            return ValkeyLedger(ValkeyAddress.parse(url, access or Access()), group, policy, clock)
        case _:
            raise _error(f"it names no known kind of ledger: {_FORMS}")


def _path(rest: str) -> Path:
    """The file of `sqlite:///relative` or `sqlite:////absolute`, as SQLAlchemy writes them."""
    if not rest.startswith("///"):
        raise _error(
            f"sqlite: needs three slashes before a relative path, four before an absolute one: {_FORMS}"
        )
    name = rest.removeprefix("///")
    if name in ("", "/") or name.endswith("/"):
        raise _error(f"sqlite: names no file: {_FORMS}")
    if name == ":memory:":
        raise _error("sqlite: keeps its ledger in a file; for one in memory use memory:")
    if "?" in name or "#" in name:
        raise _error("sqlite: takes no options, so neither ? nor # may stand in the path")
    return Path(name)


def _error(why: str) -> ConfigurationError:
    return ConfigurationError([f"LEDGER_URL: {why}"])
