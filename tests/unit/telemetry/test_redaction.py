"""Canaries: values that must not come out of a log, in whatever shape they went in."""

import time

import pytest

from consumer.telemetry.redaction import MASK, Redactor

CANARIES = {
    "key": "dx-live-canary-4711-abcdef",
    "email": "jane.canary+news@example.co.uk",
    "phone": "+44 20 7946 0958",
}


@pytest.mark.parametrize(
    ("text", "canary"),
    [
        ("mail to jane.canary@example.org failed", "jane.canary"),
        ("user=Jane.Canary%2Bx%40example.org&x=1", "Canary"),
        ('{"email":"jane_canary@mail.example.org"}', "canary"),
        ("jürgen.canary@example.org", "canary"),
        ("called +14155550199 twice", "4155550199"),
        ("called +1 (415) 555-0199", "555-0199"),
        ("called 0044 20 7946 0958", "7946"),
        ("tel:%2B14155550199", "4155550199"),
        ("(415) 555-0199", "0199"),
        ("415-555-0199", "0199"),
        ("Authorization: Bearer abc.CANARY.def", "CANARY"),
        ("authorization: CANARY-without-a-scheme", "CANARY"),
        ("{'Authorization': 'Basic Q0FOQVJZOmNhbmFyeQ=='}", "Q0FOQVJZ"),
        ("sent with Bearer CANARYCANARY", "CANARY"),
        ("x-distinct-api-key: CANARY-1", "CANARY"),
        ("headers {'X-Distinct-Api-Key': 'CANARY 1'}", "CANARY"),
        ('"api_key": "CANARY"', "CANARY"),
        ("api_key=CANARY&x=1", "CANARY"),
        ("DISTINCT_API_KEY='CANARY 2'", "CANARY"),
        ("key pk_live_CANARY123 and sk_CANARY456", "CANARY"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDQU5BUlkifQ.c2lnbmF0dXJl", "eyJzdWIi"),
        ("redis://user:CANARY@cache:6379/0", "CANARY"),
        ("redis://:CANARY@cache:6379/0", "CANARY"),
        ("sasl.password=CANARY", "CANARY"),
    ],
)
def test_what_looks_like_a_secret_or_a_person_is_masked(text, canary):
    out = Redactor().text(text)
    assert canary not in out
    assert MASK in out


@pytest.mark.parametrize(
    "text",
    [
        "events[3]@1234567890123: committed 1700000000123",
        "2026-01-02T03:04:05.678+00:00 took 00:00:12",
        "traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "DISTINCT_API_KEY: must be set, as env: or file: reference",
        "id 550e8400-e29b-41d4-a716-446655440000 at https://api.example.org:8443/v1",
        "0.123.4567 127.0.0.1:9092 v1.2.3",
        "lag 415 records of 555",
    ],
)
def test_what_operators_need_to_read_stays(text):
    assert Redactor().text(text) == text


def test_known_secrets_are_masked_wherever_they_stand_the_longest_first():
    redactor = Redactor(["canary-1", "canary-1-long"])
    assert redactor.text("xcanary-1-longx canary-1") == f"x{MASK}x {MASK}"
    redactor.learn(["rotated-canary"])
    assert redactor.text("rotated-canary canary-1") == f"{MASK} {MASK}"


def test_a_secret_too_short_to_tell_from_a_word_is_not_learnt():
    assert Redactor(["", "on"]).text("on and on") == "on and on"


def test_values_are_masked_inside_of_other_values_and_by_their_names():
    out = Redactor([CANARIES["key"]]).value(
        {
            "nested": [{"to": CANARIES["email"]}, (CANARIES["phone"],), {CANARIES["key"]}],
            CANARIES["email"]: 1,
            "password": "anything at all",
            "userEmail": {"deep": "anything"},
            "body": b"raw " + CANARIES["key"].encode(),
            "error": ValueError(CANARIES["email"]),
            "count": 3,
            "ok": True,
            "nothing": None,
            "ratio": float("nan"),
        }
    )
    text = str(out)
    assert not [canary for canary in (*CANARIES.values(), "anything") if canary in text]
    assert (out["count"], out["ok"], out["nothing"], out["ratio"]) == (3, True, None, "nan")


def test_numbers_keep_their_value_whatever_their_name():
    assert Redactor().field("token", 17) == 17
    assert Redactor().field("token", "seventeen") == MASK


def test_a_value_that_contains_itself_ends():
    loop: dict[str, object] = {}
    loop["loop"] = loop
    assert "…" in str(Redactor().value(loop))


@pytest.mark.parametrize(
    "unit", ["a", "a.", "+1", "0 ", "415-", "sk", "@", "%40", "bearer ", "x://", "api_key="]
)
def test_long_texts_take_no_more_than_linear_time(unit):
    redactor = Redactor()
    started_s = time.process_time()
    redactor.text(unit * (200_000 // len(unit)))
    assert time.process_time() - started_s < 2
