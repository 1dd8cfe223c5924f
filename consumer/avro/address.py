"""Where the schema registry is."""

from urllib.parse import urlsplit

import msgspec


class RegistryAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where the registry is, and who asks.

    `url`: several with commas between; `mock://NAME` is one in this process' memory. `basic_auth` is
    "user:password"; where it came from `basic_auth_file`, that is read again when it changes. `ca_file` replaces the
    public authorities. A client certificate is optional.
    """

    url: str
    basic_auth: str | None = None
    basic_auth_file: str | None = None
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None

    def __repr__(self) -> str:
        return f"RegistryAddress({self.name})"

    @property
    def name(self) -> str:
        """The address for people: without credentials. Raises ValueError where it is no URL."""
        parts = [urlsplit(url.strip()) for url in self.url.split(",")]
        return ", ".join(f"{part.scheme}://{part.netloc.rpartition('@')[2]}" for part in parts)

    @property
    def files(self) -> tuple[str, ...]:
        """What may be exchanged while we run: password, certificates, key."""
        named = (self.basic_auth_file, self.ca_file, self.certificate_file, self.key_file)
        return tuple(file for file in named if file is not None)

    @property
    def in_memory(self) -> bool:
        """Whether it is confluent-kafka's registry without a server."""
        return self.url.startswith("mock://")
