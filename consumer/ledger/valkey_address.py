"""Where a Valkey or Redis server is, and how we come in: read from LEDGER_URL, shown without its secrets."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from consumer.errors import ConfigurationError

_FORM = "write rediss://user@host:6379/0, or redis:// where no TLS is wanted"


@dataclass(frozen=True, slots=True)
class Access:
    """What a server may ask of us beside its URL. Files in PEM; None where it is not needed."""

    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class ValkeyAddress:
    """One database of one server. `str` of it holds no secret."""

    host: str
    port: int
    database: int
    tls: bool
    user: str | None = field(default=None, repr=False)
    access: Access = field(default_factory=Access, repr=False)

    @staticmethod
    def parse(url: str, access: Access) -> "ValkeyAddress":
        """Read `redis[s]://` or `valkey[s]://[user[:password]@]host[:port][/database]`.

        Raises ConfigurationError, whose text repeats no part of the URL.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise _error(f"its host or port is not one: {_FORM}") from None
        if not host:
            raise _error(f"it names no host: {_FORM}")
        if parts.query or parts.fragment:
            raise _error(
                "it takes no options, so neither ? nor # may stand in it (in a password write %3F and %23)"
            )
        database = parts.path.strip("/") or "0"
        if not (database.isascii() and database.isdigit()):
            raise _error(f"what stands behind the host must be the number of a database: {_FORM}")
        password = unquote(parts.password) if parts.password else None
        if password and access.password:
            raise _error("a password stands in it, and another one in LEDGER_PASSWORD: give one of them")
        if (access.certificate_file is None) != (access.key_file is None):
            raise ConfigurationError(
                ["LEDGER_CERTIFICATE_FILE and LEDGER_KEY_FILE: one without the other is of no use: give both"]
            )
        return ValkeyAddress(
            host=host,
            port=port or 6379,
            database=int(database),
            tls=parts.scheme in ("rediss", "valkeys"),
            user=unquote(parts.username) if parts.username else None,
            access=Access(
                password or access.password, access.ca_file, access.certificate_file, access.key_file
            ),
        )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rediss' if self.tls else 'redis'}://{host}:{self.port}/{self.database}"


def passwords_in(url: str) -> list[str]:
    """The password that stands in a URL, as it is written there and as it is meant; for whoever masks it."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return []
    return [password, unquote(password)] if password else []


def _error(why: str) -> ConfigurationError:
    return ConfigurationError([f"LEDGER_URL: {why}"])
