"""Distinct's admin key, which is never the shared key."""

from collections.abc import Mapping

from consumer.errors import ConfigurationError
from consumer.topology.credential import CredentialProblem, CredentialSource, resolve

_ADMIN = "DISTINCT_ADMIN_API_KEY"
_SHARED = "DISTINCT_API_KEY"


class AdminKey:
    """The key of DISTINCT_ADMIN_API_KEY, or of the file that DISTINCT_ADMIN_API_KEY_FILE names."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Raises ConfigurationError where there is no usable key, or it is the shared one."""
        findings: list[str] = []
        self._admin = _source(_ADMIN, environment, findings)
        given = environment.get(_SHARED) or environment.get(f"{_SHARED}_FILE")
        # Where it is given but can't be read, nobody could tell whether the two are one.
        self._shared = _source(_SHARED, environment, findings) if given else None
        if findings:
            raise ConfigurationError(findings)
        self.read()

    def read(self) -> str:
        """The key as it is now: a rotated file is picked up. Raises ConfigurationError if it is the shared one.

        The shared key is on every machine that delivers events; used here by mistake it would be refused, or
        work, and then nobody would notice that so many hold the key to what all users scanned.
        """
        assert self._admin is not None, "the constructor raises without it"
        key = self._admin.read()
        if self._shared is not None and key == self._shared.read():
            raise ConfigurationError(
                [
                    f"{_ADMIN} is the same key as {_SHARED}: touchpoint metrics take the admin key, which "
                    f"Distinct issues apart from the shared one; set {_ADMIN} to that, or unset {_SHARED} here "
                    "if it is the one that is wrong"
                ]
            )
        return key


def _source(name: str, environment: Mapping[str, str], findings: list[str]) -> CredentialSource | None:
    found = resolve(f"env:{name}", environment)
    if isinstance(found, CredentialProblem):
        findings.append(str(found))
        return None
    return found
