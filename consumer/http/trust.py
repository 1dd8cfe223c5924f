"""Which certificate authorities a sender trusts.

The system's, those of a configured file beside them, and Mozilla's (by way of certifi) only where the system
has none, as in a slim container. OpenSSL's SSL_CERT_FILE and SSL_CERT_DIR say where the system's are, for
both senders.
"""

import ssl
from pathlib import Path

import certifi

from consumer.errors import ConfigurationError


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """A context that verifies certificates and host names. Blocks on files.

    Raises ConfigurationError if `ca_file` cannot be read or holds no certificate. Built by hand: the library's
    default context also writes session keys to where SSLKEYLOGFILE says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    if not _system_has_roots(context):
        context.load_verify_locations(cafile=certifi.where())
    if ca_file is not None:
        _add_ca_file(context, ca_file)
    return context


def _add_ca_file(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise ConfigurationError([f"ca_file {path}: is not a file of PEM certificates"]) from None
    except OSError as error:
        raise ConfigurationError([f"ca_file {path}: cannot be read ({error.strerror})"]) from None


def _system_has_roots(context: ssl.SSLContext) -> bool:
    # The context doesn't count a folder of certificates: OpenSSL reads it only when it needs one.
    folder = ssl.get_default_verify_paths().capath
    return context.cert_store_stats()["x509_ca"] > 0 or (folder is not None and any(Path(folder).iterdir()))
