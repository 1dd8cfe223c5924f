"""A Valkey or Redis server's errors, said so that an operator knows what to do. None repeats what the server said: it
may quote what it was sent."""

import ssl

from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as NoAnswer

_ADVICE = {
    "OOM": "its memory is full (maxmemory): give it more, or keep less (LEDGER_KEEP_KEYS, LEDGER_KEEP_WINDOWS)",
    "READONLY": "it is a replica, or was made one: LEDGER_URL must lead to the primary, also after a fail-over",
    "MASTERDOWN": "it is a replica that has lost its primary: LEDGER_URL must lead to the primary",
    "LOADING": "it is still reading its data from the disk: it answers when that is done",
    "MISCONF": "it cannot write to its disk: make room there, and see its log",
    "NOREPLICAS": "it takes no writes because too few of its replicas answer (min-replicas-to-write): see to them",
    "BUSY": "a script of somebody else keeps it busy: find it, and end it with SCRIPT KILL",
    "NOPERM": "the user of LEDGER_URL may not do all it must: allow ~dc1* and +@all -@dangerous +info",
    "NOAUTH": "it wants a password: put one into LEDGER_PASSWORD, or user and password into LEDGER_URL",
    "WRONGPASS": "it does not know this user or password: see LEDGER_URL and LEDGER_PASSWORD",
    "MOVED": "it is a node of a cluster: a ledger needs one primary (with replicas) and cluster mode disabled",
    "CROSSSLOT": "it is a node of a cluster: a ledger needs one primary (with replicas) and cluster mode disabled",
    "CLUSTERDOWN": "it is a node of a cluster: a ledger needs one primary (with replicas) and cluster mode disabled",
    "WRONGTYPE": "keys that begin with dc1 are not ours: give the ledger a database of its own (LEDGER_URL …/N)",
}


def advice(error: BaseException) -> str:
    """What is the matter and what to do, with the server's or the system's own name for it."""
    if isinstance(error, ResponseError | NotConnected):
        code = code_of(error)
        if code in _ADVICE:
            return f"{_ADVICE[code]} ({code})"
    match error:
        case AuthenticationError():
            return f"{_ADVICE['WRONGPASS']} (AUTH)"
        case NoAnswer() | TimeoutError():
            return "it does not answer in time: see whether it is up, and the network between (timeout)"
        case NotConnected() | OSError() if isinstance(_root(error), ssl.SSLCertVerificationError):
            return "its certificate is not trusted for this host: see LEDGER_CA_FILE and the host in LEDGER_URL (TLS)"
        case NotConnected() | OSError():
            return f"it cannot be reached: see whether it is up, and that host and port are right ({_cause(error)})"
        case RedisError():
            return f"it failed: see its log ({code_of(error) or type(error).__name__})"
    return f"it failed ({type(error).__name__})"


def code_of(error: BaseException) -> str:
    """The word in capitals that a server's error begins with, or empty."""
    if "ACL failure" in str(error):
        return "NOPERM"  # as it is called outside of scripts
    status = getattr(error, "status_code", None)
    word = str(status) if status else str(error).partition(" ")[0]
    return word if word.isascii() and word.isupper() else ""


def _cause(error: BaseException) -> str:
    root = _root(error)
    number = getattr(root, "errno", None)
    return type(root).__name__ if number is None else f"{type(root).__name__} {number}"


def _root(error: BaseException) -> BaseException:
    """What the system said, of which the client made its own error."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
