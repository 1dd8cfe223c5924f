"""Against whom the cases run: base URLs, keys and test data."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from tests.conformance.case import Api

SIMULATOR_KEYS = {
    "distinct_api_key": "conformance-shared-key",
    "distinct_admin_api_key": "conformance-admin-key",
    "event_api_key": "conformance-event-key",
    "client_api_key": "pk_conformance",
}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class AccountError(Exception):
    """What is wrong with the account's file or the options, and what to do."""


class Account(msgspec.Struct, frozen=True):
    """Where an API is (absent: it is not asked), and the value of each placeholder."""

    base_urls: Mapping[Api, str]
    values: Mapping[str, Any]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    base_urls: dict[Api, str]
    keys: dict[str, str]
    data: dict[str, Any] = {}


def account_from(path: Path | None, *, owned: bool) -> Account | None:
    """The vendor's account that the options name; None: the simulator is meant. Raises AccountError."""
    if path is None and not owned:
        return None
    if path is None:
        raise AccountError("--i-own-this-account needs --account FILE: whose server, keys and test data?")
    if not owned:
        raise AccountError(
            f"{path} names a vendor's server: these cases send events to it. If the account is yours and the "
            "test data may be changed, add --i-own-this-account"
        )
    return _read(path)


def _read(path: Path) -> Account:
    try:
        file = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), _File)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise AccountError(f"{path}: {error}") from None
    for api, url in file.base_urls.items():
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise AccountError(f"{path}: base_urls.{api} must be an https URL: the key travels with it")
    for name in file.keys.keys() - SIMULATOR_KEYS.keys():
        raise AccountError(f"{path}: keys.{name} is none of {', '.join(SIMULATOR_KEYS)}")
    keys = {name: _secret(path, name, reference) for name, reference in file.keys.items()}
    return Account(file.base_urls, {**file.data, **keys})


def _secret(path: Path, name: str, reference: str) -> str:
    """The reference is not repeated in an error: it may be the key itself."""
    kind, _, place = reference.partition(":")
    try:
        if kind == "env":
            return os.environ[place]
        if kind == "file":
            return Path(place).read_text(encoding="utf-8").strip()
    except (KeyError, OSError):
        raise AccountError(f"{path}: keys.{name} leads nowhere") from None
    raise AccountError(f"{path}: keys.{name} must be env:NAME or file:/path, never a key itself")
