"""The way to a vendor's server: closed unless both options are given, and open for nothing but the user's data."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from consumer.sandbox.simulator import SimulatorConfig, SimulatorThread, Touchpoint, UnknownUsers, Visit
from tests.conformance.account import AccountError, account_from
from tests.conformance.case import APIS
from tests.conformance.loader import FOLDER, variants
from tests.conformance.placeholders import NotNamed, fill
from tests.conformance.target import LeftOut, Target
from tests.conformance.wire import same_shape

_KEYS = {
    "distinct_api_key": "their-shared-key",
    "distinct_admin_api_key": "their-admin-key",
    "event_api_key": "their-event-key",
    "client_api_key": "pk_theirs",
}
_DATA = {
    "user_id": "their-user",
    "email": "test@vendor.example",
    "phone": "+442079460123",
    "unknown_phone": f"{UnknownUsers().phone_prefix}2345678",
    "experience_id": "theirs",
    "experience_value": "their-cup",
    "event_value": "their-event",
    "session_id": "their-session",
    "registration_page_value": "their-page",
    "touchpoint_id": "gate",
    "scanning_user_id": "their-user",
    "external_id": "their-user",
    "anonymous_id": "their-visitor",
}
_GATE = Touchpoint(
    id="gate",
    name="Gate",
    value="gate",
    experience_id="theirs",
    visits=tuple(Visit(user_id="their-user", timestamp_utc=f"2025-01-0{day}T10:00:00Z") for day in (1, 2, 3)),
)


@pytest.fixture
def account_file(tmp_path, monkeypatch):
    """An account at a vendor on this machine: a simulator with other keys, users and touchpoints."""
    config = replace(
        msgspec.convert(_KEYS, SimulatorConfig), experiences=frozenset({"theirs"}), touchpoints=(_GATE,)
    )
    keys = {}
    for name, key in _KEYS.items():
        (tmp_path / name).write_text(f"{key}\n")
        keys[name] = f"file:{tmp_path / name}"
    monkeypatch.setenv("TEST_OF_CONFORMANCE", _KEYS["event_api_key"])
    keys["event_api_key"] = "env:TEST_OF_CONFORMANCE"
    with SimulatorThread(config) as vendor:
        path = tmp_path / "account.yaml"
        document = {"base_urls": dict.fromkeys(APIS, vendor.base_url), "keys": keys, "data": _DATA}
        path.write_text(yaml.safe_dump(document))
        yield path


def test_a_vendor_is_held_to_what_is_documented_with_the_users_data_and_to_nothing_else(account_file):
    account = account_from(account_file, owned=True)
    assert account is not None
    target, found, left_out = Target(account, None), {}, {}
    for variant in variants():
        try:
            found[variant.id] = target.run(variant)
        except LeftOut as reason:
            left_out[variant.id] = str(reason)
    assert {name: differences for name, differences in found.items() if differences} == {}
    assert "touchpoint_metrics:unique-visitors" in found
    assert left_out["user_analytics:phone-not-in-e164-1"] == "nobody documents it: no vendor is held to it"
    assert left_out["user_analytics:internal-server-error"] == "only a simulator can be brought to show it"
    assert left_out["event_api:user-by-id"] == "the account names no test data for vibetrace_id"


def test_a_vendor_that_answers_otherwise_is_found_out(account_file):
    account = account_from(account_file, owned=True)
    assert account is not None
    other = replace(account, values={**account.values, "email": "gone@unknown.invalid"})
    (case,) = (one for one in variants() if one.id == "user_analytics:captured-by-email")
    (status, body) = Target(other, None).run(case)
    assert status == "status 400 instead of 200"
    assert "User not found." in body


def test_no_vendor_is_asked_without_both_options(account_file):
    assert account_from(None, owned=False) is None
    with pytest.raises(AccountError, match="add --i-own-this-account"):
        account_from(account_file, owned=False)
    with pytest.raises(AccountError, match="needs --account FILE"):
        account_from(None, owned=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base_urls": {"client_api": "http://vendor.example"}}, "must be an https URL"),
        ({"keys": {"client_api_key": "pk_in-the-file"}}, "must be env:NAME or file:/path"),
        ({"keys": {"client_api_key": "env:NOT_SET_ANYWHERE"}}, "leads nowhere"),
        ({"keys": {"client_key": "env:HOME"}}, "is none of"),
        ({"base_url": {}}, "unknown field `base_url`"),
    ],
)
def test_what_is_wrong_with_an_account_is_said_and_its_keys_are_not(tmp_path, change, message):
    path = tmp_path / "account.yaml"
    document = {"base_urls": {"client_api": "https://vendor.example"}, "keys": {}} | change
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(AccountError, match=message) as caught:
        account_from(path, owned=True)
    assert "pk_in-the-file" not in str(caught.value)


def test_placeholders_keep_their_types_and_spread_mappings():
    values = {"n": 7, "more": {"b": [1]}, "name": "a"}
    assert fill({"${name}": "${n}", "text": "n=${n}", "...": "${more}"}, values) == {
        "a": 7,
        "text": "n=7",
        "b": [1],
    }
    with pytest.raises(NotNamed, match="nothing"):
        fill(["${nothing}"], values)


def test_a_shape_is_keys_and_types():
    expected = {"n": 1, "rows": [{"id": "a"}]}
    assert same_shape(expected, {"n": 2, "rows": []})
    assert same_shape(expected, {"n": 2, "rows": [{"id": "b"}, {"id": "c"}]})
    assert not same_shape(expected, {"n": "2", "rows": []})
    assert not same_shape(expected, {"n": 2, "rows": [{"id": "b", "extra": 1}]})
    assert not same_shape(expected, {"n": 2})


def test_the_example_of_the_page_loads_and_every_placeholder_is_named_there(tmp_path, monkeypatch):
    page = (Path(__file__).resolve().parents[2] / "docs" / "simulator.md").read_text()
    (text,) = re.findall(r"```yaml account\.yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "key").write_text("a-key")
    path = tmp_path / "account.yaml"
    path.write_text(text.replace("/run/secrets/distinct-test-key", str(tmp_path / "key")))
    monkeypatch.setenv("OUR_ADMIN_TEST_KEY", "another-key")
    account = account_from(path, owned=True)
    assert account is not None
    assert account.values["distinct_admin_api_key"] == "another-key"
    cases = "".join(file.read_text() for file in FOLDER.glob("*.yaml"))
    own = {name for variant in variants() for name in variant.placeholders}
    used = set(re.findall(r"\$\{(\w+)\}", cases)) - own
    assert {name for name in used if not re.search(rf"\b{name}\b", page)} == set()
