"""The machine plays over the servers that the ledgers' contract has."""

from tests.contract.ledgers.conftest import shared_server

__all__ = ["shared_server"]
