"""What would have to change for a subject of the schema registry to be as it is wanted."""

from collections.abc import Sequence

from consumer.core.changes import Caution, Changes, Refused, RegisterSchema, SetCompatibility
from consumer.core.cluster import FoundSubject, WantedSubject
from consumer.core.compatibility import is_weaker


def diff_subject(wanted: WantedSubject, found: FoundSubject, problems: Sequence[str]) -> Changes:
    """One subject. `problems`: why the wanted schema does not go with the versions that are there, by the level
    that will count; the schema is then refused, and the level left as it is.
    """
    name = wanted.name
    total = Changes(warnings=_cautions(wanted, found))
    if problems:
        # Told as they are: each names the two versions and the place.
        return total + Changes(refusals=tuple(Refused(name, text) for text in problems))
    level = _level(wanted, found)
    if found.holds is not None:
        return total + Changes(same=1) + level
    register = Changes(changes=(RegisterSchema(name, len(found.versions), wanted.text),))
    # A registry keeps no level for a subject that it does not know; of one that it knows, the new level has to
    # judge the new schema already.
    return total + (level + register if found.versions else register + level)


def level_in_force(wanted: WantedSubject, found: FoundSubject) -> str:
    """The compatibility that counts once the plan is carried out."""
    return wanted.level or found.level or found.inherited


def _level(wanted: WantedSubject, found: FoundSubject) -> Changes:
    if wanted.level is None:
        return Changes()
    if wanted.level == found.level:
        return Changes(same=1)
    before = found.level or f"{found.inherited} (the registry's)"
    return Changes(changes=(SetCompatibility(wanted.name, before, wanted.level),))


def _cautions(wanted: WantedSubject, found: FoundSubject) -> tuple[Caution, ...]:
    cautions = []
    standing = found.level or found.inherited
    if wanted.level is not None and found.versions and is_weaker(wanted.level, standing):
        text = f"{wanted.level} promises less than {standing}, which readers and writers rely on now"
        cautions.append(Caution(wanted.name, text))
    latest = max(found.versions, default=None)
    if found.holds is not None and latest is not None and found.holds < latest:
        text = f"the schema is version {found.holds}, and the latest is {latest}: the file is behind the registry"
        cautions.append(Caution(wanted.name, text))
    return tuple(cautions)
