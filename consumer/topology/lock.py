"""Which routes a topology had: a file beside it, against which a renamed one is noticed.

A route's id, its destination's account and its key are part of the ledger's keys. Under other ones nothing that was
delivered is recognised, and no ledger has to be at hand to see that: `topology.lock` is written by
`check --lock` and kept under version control with the topology.
"""

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from consumer.errors import ConfigurationError, UsageError
from consumer.settings.document import Document, Finding
from consumer.settings.mistakes import locate
from consumer.topology.directory import names_of

FILE = "topology.lock"
_HEAD = (
    "# The routes by which the ledger knows what was delivered: written by `check --lock`, to be committed.\n"
)
_AGAIN = "what was delivered before is not recognised, and a repeat of it is sent again"


class LockedRoute(NamedTuple):
    """What of a route is in the ledger's keys, and a digest of the rest, by which a renamed one is known."""

    id: str
    topic: str
    account: str
    key: str
    digest: str


def locked_routes(document: Document) -> list[LockedRoute]:
    """The routes of a sound topology, in the order of their ids."""
    destinations = names_of(document, "destinations")
    return sorted(_locked(name, route, destinations) for name, route in names_of(document, "routes").items())


def read_lock(directory: Path) -> list[LockedRoute] | None:
    """What was locked; None where there is no lock. Raises ConfigurationError for a file that is none."""
    file = directory / FILE
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError([f"{file}: can't be read: write it anew by check --lock"]) from None
    routes = []
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#"):
            words = line.split()
            if len(words) != len(LockedRoute._fields):
                text = "is no line of a lock: write the file anew by check --lock"
                raise ConfigurationError([f"{file}:{number}: {text}"])
            routes.append(LockedRoute(*words))
    return routes


def write_lock(directory: Path, routes: list[LockedRoute]) -> Path:
    """Write it; gives the file. Raises UsageError where the folder does not take it."""
    file = directory / FILE
    try:
        file.write_text(_HEAD + "".join(" ".join(route) + "\n" for route in routes), "utf-8")
    except OSError as error:
        raise UsageError(f"{file}: can't be written: {error.strerror}") from None
    return file


def changes_since(locked: list[LockedRoute], document: Document) -> Iterator[Finding]:
    """What the ledger will not recognise any more: renamed routes, and those with another account or key."""
    now = locked_routes(document)
    before = {route.id: route for route in locked}
    gone = [route for route in locked if route.id not in {one.id for one in now}]
    for route in now:
        old = before.get(route.id)
        if old is None:
            renamed = _renamed(route, gone)
            if renamed is not None:
                yield Finding(*locate(document, ("routes", route.id)), _rename(renamed))
            continue
        for word, was, is_ in (("account", old.account, route.account), ("key", old.key, route.key)):
            if was != is_:
                place, key = locate(document, ("routes", route.id))
                yield Finding(place, key, f"its {word} was {was} and is {is_} now: {_AGAIN}")


def _rename(old: LockedRoute) -> str:
    return f"seems to be {old.id} under a new name: {_AGAIN}; keep the name, or accept it by check --lock"


def _renamed(new: LockedRoute, gone: list[LockedRoute]) -> LockedRoute | None:
    """The route that went and is like this one: in all but its name, or, by its name, in topic and account."""
    same = [old for old in gone if old.digest == new.digest]
    if same:
        return same[0]
    near = {old.id: old for old in gone if (old.topic, old.account) == (new.topic, new.account)}
    close = get_close_matches(new.id, near, n=1, cutoff=0.6)
    return near[close[0]] if close else None


def _locked(name: str, route: Mapping[str, Any], destinations: Mapping[str, Any]) -> LockedRoute:
    destination = str(route["to"]).partition("/")[0]
    account = destinations[destination].get("account") or destination
    rest = json.dumps(route, sort_keys=True, ensure_ascii=True).encode()
    digest = blake2b(rest, digest_size=6).hexdigest()
    return LockedRoute(name, str(route["from"]), str(account), str(route.get("key", "id")), digest)
