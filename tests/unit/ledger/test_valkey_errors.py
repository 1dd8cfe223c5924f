"""A server's errors are said with what to do, and never in its own words, which may quote what it was sent."""

import ssl

import pytest
from redis import exceptions

from consumer.ledger.valkey_errors import advice


@pytest.mark.parametrize(
    ("said", "advised"),
    [
        (
            "MISCONF Errors writing to the AOF file: No space left",
            "make room there, and see its log (MISCONF)",
        ),
        ("NOREPLICAS Not enough good replicas to write.", "too few of its replicas answer"),
        ("BUSY Valkey is busy running a script.", "end it with SCRIPT KILL (BUSY)"),
        ("MASTERDOWN Link with MASTER is down", "must lead to the primary (MASTERDOWN)"),
        ("CLUSTERDOWN Hash slot not served", "cluster mode disabled"),
        ("WRONGTYPE Operation against a key", "a database of its own"),
        ("ERR ACL failure in script: No permissions", "allow ~dc1*"),
        ("ERR something quite new", "see its log (ERR)"),
        ("hunter2 said in lower case", "see its log (ResponseError)"),
    ],
)
def test_what_a_server_says_becomes_what_to_do(said: str, advised: str) -> None:
    told = advice(exceptions.ResponseError(said))
    assert advised in told
    assert "hunter2" not in told


def test_a_certificate_that_is_not_trusted_names_the_setting() -> None:
    error = exceptions.ConnectionError("connecting failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    assert "see LEDGER_CA_FILE" in advice(error)


def test_a_refused_connection_tells_the_systems_word_for_it() -> None:
    error = exceptions.ConnectionError("Error 111 connecting to u:hunter2@host")
    error.__cause__ = ConnectionRefusedError(111, "refused")
    assert "see whether it is up" in advice(error)
    assert "(ConnectionRefusedError 111)" in advice(error)
    assert "hunter2" not in advice(error)
