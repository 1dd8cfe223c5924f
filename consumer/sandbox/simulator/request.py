"""One HTTP request, read whole."""

import msgspec


class Request(msgspec.Struct, frozen=True, gc=False):
    """What an API judges. Header names are in lower case; of a repeated header the last one counts."""

    method: str
    path: str
    query: str
    headers: dict[bytes, bytes]
    body: bytes
    client_ip: str
