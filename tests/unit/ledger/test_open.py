"""A ledger by its URL: what is named is opened, and a mistake is said without repeating the URL."""

from pathlib import Path

import pytest

from consumer.clock import ManualClock
from consumer.errors import ConfigurationError
from consumer.ledger.ledger import Ledger
from consumer.ledger.memory import MemoryLedger
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite import SqliteLedger
from consumer.ledger.valkey import ValkeyLedger
from consumer.ledger.valkey_address import Access, ValkeyAddress, passwords_in

POLICY = LedgerPolicy(reservation_age_s=60.0)


def ledger(url: str) -> Ledger:
    return open_ledger(url, "group", POLICY, ManualClock())


async def test_three_slashes_name_a_file_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state").mkdir()
    opened = ledger("sqlite:///state/ledger.db")
    assert isinstance(opened, SqliteLedger)
    await opened.open()
    await opened.close()
    assert (tmp_path / "state" / "ledger.db").exists()


async def test_four_slashes_name_an_absolute_file_whatever_is_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a b %41 ü & ledger.db"
    opened = ledger(f"sqlite:///{path}")
    await opened.open()
    await opened.close()
    assert path.exists()


@pytest.mark.parametrize("url", ["memory:", "memory://"])
def test_memory_takes_no_path(url: str) -> None:
    assert isinstance(ledger(url), MemoryLedger)


@pytest.mark.parametrize("scheme", ["redis", "rediss", "valkey", "valkeys"])
def test_a_server_is_named_by_its_url_and_shown_without_user_and_password(scheme: str) -> None:
    url = f"{scheme}://us%40er:pass%2Fword@ledger.example:6380/3"
    assert isinstance(ledger(url), ValkeyLedger)
    address = ValkeyAddress.parse(url, Access())
    assert (address.user, address.access.password, address.database) == ("us@er", "pass/word", 3)
    assert address.tls == (scheme in ("rediss", "valkeys"))
    assert str(address) == f"redis{'s' * address.tls}://ledger.example:6380/3"
    assert "word" not in repr(address)
    assert passwords_in(url) == ["pass%2Fword", "pass/word"]


def test_a_password_is_given_once_and_a_certificate_with_its_key() -> None:
    with pytest.raises(ConfigurationError, match="LEDGER_PASSWORD: give one of them"):
        ValkeyAddress.parse("redis://:one@host", Access(password="other"))
    with pytest.raises(ConfigurationError, match="give both"):
        ValkeyAddress.parse("rediss://host", Access(certificate_file=Path("certificate.pem")))
    assert ValkeyAddress.parse("redis://host", Access(password="other")).access.password == "other"


def test_two_ledgers_in_memory_share_nothing() -> None:
    first, second = ledger("memory:"), ledger("memory:")
    assert isinstance(first, MemoryLedger)
    assert isinstance(second, MemoryLedger)
    assert first._store is not second._store


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "names no known kind"),
        ("ledger.db", "names no known kind"),
        ("postgres://u:secret@host/db", "names no known kind"),
        ("redis://", "names no host"),
        ("redis:host", "names no host"),
        ("redis://u:secret@host:secret/0", "its host or port is not one"),
        ("rediss://u:secret@host/ledger", "must be the number of a database"),
        ("rediss://u:secret@host/0?ssl_cert_reqs=none", "takes no options"),
        ("valkey://u:sec#ret@host", "host or port"),
        ("memory:/secret", "takes no path"),
        ("sqlite:secret.db", "three slashes"),
        ("sqlite://secret/ledger.db", "three slashes"),
        ("sqlite:///", "names no file"),
        ("sqlite:////", "names no file"),
        ("sqlite:////var/secret/", "names no file"),
        ("sqlite:///:memory:", "use memory:"),
        ("sqlite:///ledger.db?key=secret", "no options"),
    ],
)
def test_a_mistake_is_one_clear_message_that_repeats_no_part_of_the_url(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ledger(url)
    assert len(caught.value.findings) == 1
    assert caught.value.findings[0].startswith("LEDGER_URL: ")
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
