"""Where requests may go: the policy for base URLs, and how a path is joined to one."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

import msgspec

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*\.?")
# RFC 3986, 3.3: what a path may hold as it is; everything else has to come percent-encoded.
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class BaseUrl(msgspec.Struct, frozen=True):
    """A checked base URL. `path` has no slash at its end; `host` and `port` are for spans and messages."""

    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def join(self, path: str) -> str:
        """The URL of `path` ("/v2/events") below this base, whatever path the base has.

        Raises ValueError for a path that would leave the base or add a query.
        """
        if not path.startswith("/") or not _is_plain_path(path):
            raise ValueError("a path must start with '/', be percent-encoded, and have no query and no '..'")
        return f"{self}{path}"


class UrlProblem(msgspec.Struct, frozen=True):
    """Why a base URL is refused, and what to write instead; never quotes it, as it may hold credentials."""

    text: str


def parse_base_url(text: str, *, allow_plain_http: bool = False) -> BaseUrl | UrlProblem:
    """Check a base URL as a person wrote it: a host, perhaps a port and a path, and nothing else.

    It must be https, except on loopback or where `allow_plain_http` says so.
    """
    if not (text.isascii() and text.isprintable()) or re.search(r"[\s\\]", text):
        # Clients disagree on these: one drops a line break or turns a backslash, and the host is another.
        return UrlProblem("must be plain ASCII without spaces or backslashes (write a foreign host as xn--…)")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return UrlProblem("is not a URL; write https://host, https://host:port or https://host/path")
    problem = _problem_of(parts, text, allow_plain_http)
    if problem is not None:
        return UrlProblem(problem)
    host = parts.hostname or ""
    return BaseUrl(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], parts.path.rstrip("/"))


def require_sendable_url(url: str) -> None:
    """Raise ValueError, without quoting the URL, unless it is http(s) with a host and no credentials in it.

    The last guard before a client, which would turn credentials into a header: plain http was decided with
    the base.
    """
    try:
        parts = urlsplit(url)
        sendable = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and "@" not in parts.netloc
        sendable = sendable and parts.port != 0  # reading it raises for what is no port
    except ValueError:
        sendable = False
    if not sendable or not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise ValueError("a request's URL must be http(s)://host…, plain ASCII, without credentials")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name: nothing is looked up."""
    if host.lower().rstrip(".") == "localhost":
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _problem_of(parts: SplitResult, text: str, allow_plain_http: bool) -> str | None:
    host = parts.hostname
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return "must start with https:// (http:// for this machine alone) and a host"
    if "@" in parts.netloc:
        return "must not hold a user name or password; credentials have their own setting"
    if "?" in text or "#" in text:
        return "must end with the path: no query and no fragment"
    if not _HOST_NAME.fullmatch(host) and not _is_address(host):
        return "has a host that is neither a name nor an address"
    if parts.port == 0:
        return "has port 0"
    if not _is_plain_path(parts.path):
        return "has a path with '..' or characters that must be percent-encoded"
    if parts.scheme == "http" and not (allow_plain_http or is_loopback(host)):
        return "is plain http, which shows the API key to the network: use https, or allow it by --allow-plain-http"
    return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # a zone, which is not for URLs


def _is_plain_path(path: str) -> bool:
    # "%2e%2e" is ".." to a URL parser that follows the WHATWG, as some clients' does.
    segments = path.lower().replace("%2e", ".").split("/")
    return _PATH.fullmatch(path) is not None and "." not in segments and ".." not in segments
