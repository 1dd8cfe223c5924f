"""Why a broker's certificate is not accepted. librdkafka says the same of every cause: "verify that ssl.ca.location
is correctly configured"."""

import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

_MENTIONED = "certificate verify failed"
_TIMEOUT_S = 3.0


def is_about_certificates(text: str) -> bool:
    """Whether librdkafka's words are about a certificate that it did not accept."""
    return _MENTIONED in text


def certificate_problem(servers: str, options: Mapping[str, object]) -> str | None:
    """What is wrong with the certificate of every one of these brokers, each told by its address.

    None where one of them is accepted, does not answer, or cannot be asked: then it is worth trying again. Blocks,
    for `_TIMEOUT_S` a broker at most. Sends nothing but a TLS handshake.
    """
    try:
        context = _context(options)
    except (OSError, ValueError):
        return None
    found = []
    for server in servers.split(","):
        host, _, port = server.strip().rpartition("://")[2].rpartition(":")
        try:
            with (
                socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT_S) as plain,
                context.wrap_socket(plain, server_hostname=host.strip("[]")),
            ):
                return None
        except ssl.SSLCertVerificationError as error:
            found.append(f"{host}:{port}: {error.verify_message.rstrip('.')}")
        except (OSError, ValueError):
            return None
    return f"the certificate is not accepted: {'; '.join(found)}" if found else None


def _context(options: Mapping[str, object]) -> ssl.SSLContext:
    """As librdkafka would verify. Blocks on files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = options.get("ssl.endpoint.identification.algorithm") != "none"
    place, text = options.get("ssl.ca.location"), options.get("ssl.ca.pem")
    if text is not None:
        context.load_verify_locations(cadata=str(text))
    elif place in (None, "probe"):
        context.load_default_certs()
    elif Path(str(place)).is_dir():
        context.load_verify_locations(capath=str(place))
    else:
        context.load_verify_locations(cafile=str(place))
    return context
