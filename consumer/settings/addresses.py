"""URLs in settings: which may be used, and how they are shown."""

import ipaddress
import re
from urllib.parse import urlsplit


def registry_problem(urls: str | None, *, plain_http: bool) -> str | None:
    """What is wrong with the schema registry's URL (or several, with commas between); never quotes them."""
    for url in urls.split(",") if urls else ():
        try:
            parts = urlsplit(url.strip())
        except ValueError:
            return "is not a URL; write https://host or https://host:port"
        if parts.scheme not in ("https", "http", "mock") or not parts.netloc:
            return "must start with https:// (http:// for this machine alone) and a host"
        if "@" in parts.netloc:
            return "must not hold a user name or password: use SCHEMA_REGISTRY_BASIC_AUTH"
        if parts.scheme == "http" and not (plain_http or _is_loopback(parts.hostname or "")):
            return "is plain http beyond this machine: use https, or allow it by --allow-plain-http"
    return None


def without_credentials(url: str) -> str:
    """The URL with what stands before the host, if anything does, made unreadable."""
    return re.sub(r"//[^/?#]*@", "//***@", url)


def _is_loopback(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
