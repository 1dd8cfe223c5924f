"""Receivers and registries that mean harm, or that somebody stands in front of: all four destinations, end to end.

The endpoint is a raw socket that keeps books of what it acknowledged in truth; each test holds the consumer's against
them: nothing is delivered that was not acknowledged, and nothing is dead-lettered that an outage refused.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest

from consumer.core.refusals import IN_A_ROW
from tests.brokers import Broker, SchemaRegistry
from tests.contract.senders.receiver import Behaviour, Seen, answering
from tests.faults.endpoint_stage import ALL, EndpointStage
from tests.hostile.endless import dripping, pouring, resetting
from tests.hostile.endpoint import HostileEndpoint
from tests.hostile.script import destination_of, one_after_the_other
from tests.hostile.tricks import BROKEN, FALSE, PACKED
from tests.hostile.wire_format import YES_BODY, chunked, head, page, with_length

CUSTOM = ("client",)


@pytest.fixture
def stage(broker: Broker, registry: SchemaRegistry, tmp_path: Path) -> Iterator[EndpointStage]:
    made = EndpointStage(broker, registry, tmp_path)
    yield made
    made.close()


def always(behaviour: Behaviour) -> Callable[[Seen], Behaviour | None]:
    return lambda _: behaviour


def good_at_first(
    requests: int, then: Callable[[Seen], Behaviour | None]
) -> Callable[[Seen], Behaviour | None]:
    """So many requests to each destination are acknowledged, all others met like that."""
    seen_so_far: Counter[str] = Counter()

    def spoil(seen: Seen) -> Behaviour | None:
        name = destination_of(seen.target)
        seen_so_far[name] += 1
        return None if seen_so_far[name] <= requests else then(seen)

    return spoil


def json_answer(line: str, **body: object) -> Behaviour:
    return answering(with_length(line, json.dumps(body).encode(), "Content-Type: application/json"))


def refusal(seen: Seen) -> Behaviour:
    """Each API's own words for a record that is wrong."""
    match destination_of(seen.target):
        case "client":
            return json_answer("422 No", status="error", error="Must NOT have additional properties")
        case "event":
            return json_answer("400 No", errors=[{"message": "Missing event information"}])
        case _:
            return json_answer("400 No", statusCode=400, message="Invalid experience id.")


def wanted(books: Mapping[str, int]) -> int:
    """How many of a destination's deliveries its routes want sent."""
    return books["matched"] - books["suppressed"] - books["windowed"] - books["dropped"]


# --- tricks ---


@pytest.mark.parametrize("http_client", ["httptools", pytest.param("httpx", marks=pytest.mark.slow)])
def test_row_26_every_trick_is_played_and_none_acknowledges_loses_or_dead_letters(
    stage: EndpointStage, http_client: str
) -> None:
    """A few dozen records, and each trick met by one of them; then the receiver is honest."""
    tricks = {**BROKEN, **PACKED, **FALSE}
    throttles = {"429 of a proxy"}
    script = [trick.behave for name, trick in tricks.items() if name not in throttles]
    stage.script.then(one_after_the_other(script))
    stage.produce_customs(*(f"event-{number:02}" for number in range(40)))

    consumer = stage.serve(
        only=CUSTOM, changes={"batch": {"max_items": 1}, "concurrency": 4}, CONSUMER_HTTP_CLIENT=http_client
    )
    books = stage.settle(consumer)["client"]

    assert (books["delivered"], books["dead_lettered"]) == (40, 0)
    assert len(stage.endpoint.seen) >= len(script) + 40
    assert stage.read_letters() == []


@pytest.mark.slow
@pytest.mark.parametrize("http_client", ["httptools", "httpx"])
def test_row_26_what_trickles_or_has_no_end_is_bounded_in_time_and_memory(
    stage: EndpointStage, http_client: str
) -> None:
    slow = [
        dripping(b"", head("HTTP/1.1 204 No Content", "X-Filler: " + "y" * 9_000)),
        dripping(head("HTTP/1.1 200 OK", "Content-Length: 50000"), YES_BODY),
        pouring(chunked(), b"400\r\n" + b" " * 1024 + b"\r\n"),
        pouring(head("HTTP/1.1 200 OK"), b" " * 4096),
        pouring(b"HTTP/1.1 204 No Content\r\nX-Filler: ", b"y" * 4096),
        pouring(b"", head("HTTP/1.1 103 Early Hints") * 9),
    ]
    stage.script.then(one_after_the_other(slow * 2))
    stage.produce_customs("event-1")

    consumer = stage.serve(only=CUSTOM, CONSUMER_HTTP_CLIENT=http_client)
    consumer.wait_for_status(lambda status: status["consumed"] == 1)
    before_bytes, began_s = consumer.resident_bytes, time.monotonic()
    stage.wait_until(lambda: len(stage.endpoint.seen) > len(slow), 60.0)
    assert consumer.resident_bytes - before_bytes < 64 * 1024 * 1024
    assert time.monotonic() - began_s < len(slow) * 4.0
    books = stage.settle(consumer)["client"]

    assert (books["delivered"], books["dead_lettered"]) == (1, 0)


# --- outages that look like answers ---

OUTAGES: Mapping[str, tuple[Behaviour, str]] = {
    "400 in HTML": (answering(page("400 Bad Request")), "unclear"),
    "404 in HTML": (answering(page("404 Not Found")), "404"),
    "a login page": (answering(page("200 OK")), "undocumented success"),
    "a redirect to a login": (
        answering(page("302 Found").replace(b"\r\n", b"\r\nLocation: http://127.0.0.1:1/\r\n", 1)),
        "redirect",
    ),
    "413 of a proxy": (answering(page("413 Request Entity Too Large")), "unclear"),
    "403 of a firewall": (answering(page("403 Forbidden")), "403"),
    "422 of a firewall": (answering(page("422 Unprocessable Entity")), "unclear"),
    "502 in HTML": (answering(page("502 Bad Gateway")), "unclear"),
    "503 in HTML": (answering(page("503 Service Unavailable")), "unclear"),
}


def test_row_27_an_outage_that_answers_the_same_to_everything_costs_no_letter_at_any_destination(
    stage: EndpointStage,
) -> None:
    """At the very start, and in the middle of the stream, one outage after the other; then it goes on by itself."""
    stage.generate_faultless(1_500)
    outages = iter(OUTAGES.values())
    behaviour, reason = next(outages)
    stage.script.then(always(behaviour))

    consumer = stage.serve(changes={"concurrency": 4})
    stage.until_halted(consumer, reason)
    assert stage.committed == {0: 0}
    for behaviour, reason in outages:
        stage.script.then(good_at_first(10, always(behaviour)))
        stage.until_halted(consumer, reason)
    stage.script.be_honest()
    books = stage.settle(consumer)

    assert {name: one["dead_lettered"] for name, one in books.items()} == dict.fromkeys(ALL, 0)
    assert all(one["delivered"] == wanted(one) for one in books.values())
    assert stage.read_letters() == []


@pytest.mark.parametrize(
    "good",
    [
        pytest.param(0, id="at the start"),
        pytest.param(300, id="in the middle", marks=pytest.mark.slow),
    ],
)
def test_row_27_an_outage_in_the_apis_own_words_does_not_empty_the_topic_into_the_dead_letters(
    stage: EndpointStage, good: int
) -> None:
    stage.generate_faultless(4_000)
    stage.script.then(good_at_first(good, refusal))

    consumer = stage.serve()
    stage.until_halted(consumer, "mass refusal")
    stage.script.be_honest()
    books = stage.settle(consumer)

    letters = stage.letters_by("destination")
    for name in ALL:
        assert letters[name] == books[name]["dead_lettered"] < IN_A_ROW
        assert books[name]["delivered"] == wanted(books[name]) - letters[name]


@pytest.mark.slow
def test_row_27_a_receiver_of_which_every_other_answer_is_a_502_costs_no_letter(stage: EndpointStage) -> None:
    """One of two servers behind the same address is down."""
    stage.generate_faultless(300)
    turn = count()
    stage.script.then(lambda _: answering(page("502 Bad Gateway")) if next(turn) % 2 else None)

    books = stage.settle(stage.serve())

    assert {name: one["dead_lettered"] for name, one in books.items()} == dict.fromkeys(ALL, 0)


def test_row_27_a_small_topic_of_which_all_is_refused_ends_as_dead_letters(stage: EndpointStage) -> None:
    """Fewer than a hundred are believed: the guard never holds them, and nothing hangs."""
    stage.script.then(refusal)
    stage.produce_customs(*(f"event-{number:02}" for number in range(60)))

    done = stage.serve("--until-end", "--timeout", "60", "--output", "json", only=CUSTOM)

    assert done.wait(90.0) == 0, done.tail()
    assert done.books["destinations"]["client"]["dead_lettered"] == 60
    assert stage.committed == {0: 60}


@pytest.mark.slow
def test_row_27_a_hundred_and_more_of_which_all_is_refused_are_held_until_a_person_says_they_are_bad(
    stage: EndpointStage,
) -> None:
    stage.script.then(refusal)
    stage.produce_customs(*(f"event-{number:03}" for number in range(150)))
    until_end = ("--until-end", "--output", "json", "--timeout")

    held = stage.serve(*until_end, "5", only=CUSTOM)
    assert held.wait(90.0) == 3, held.tail()
    assert "mass refusal" in held.stderr
    assert len(stage.read_letters()) == 99
    done = stage.serve(*until_end, "60", only=CUSTOM, changes={"max_refusal_ratio": 1})

    assert done.wait(90.0) == 0, done.tail()
    assert stage.committed == {0: 150}
    assert len(stage.read_letters()) >= 150


# --- each row ---


@pytest.mark.slow
def test_row_23_retry_after_is_obeyed_by_the_whole_destination(stage: EndpointStage) -> None:
    later = (
        answering(with_length("429 Slow", b"", "Retry-After: 2")),
        answering(with_length("503 Busy", b"", "Retry-After: 2")),
    )
    moments: list[float] = []

    def spoil(_: Seen) -> Behaviour | None:
        moments.append(time.monotonic())
        return later[len(moments) - 1] if len(moments) <= len(later) else None

    stage.script.then(spoil)
    stage.produce_customs("event-1", "event-2", "event-3")

    books = stage.settle(stage.serve(only=CUSTOM, changes={"concurrency": 1, "batch": {"max_items": 1}}))[
        "client"
    ]

    first, second, third = moments[:3]
    assert second - first >= 1.9
    assert third - second >= 1.9
    assert (books["delivered"], books["dead_lettered"]) == (3, 0)


@pytest.mark.slow
def test_row_24_what_was_taken_before_its_answer_was_lost_comes_again_with_the_same_key_and_bytes(
    stage: EndpointStage,
) -> None:
    lost = [resetting(b""), resetting(b"HTTP/1.1 204 No"), answering(b"", then_close=True)]
    stage.script.then(one_after_the_other(lost))
    stage.produce_customs("event-1", "event-2")

    books = stage.settle(stage.serve(only=CUSTOM, changes={"concurrency": 1}))["client"]

    assert (books["delivered"], books["in_doubt"], books["retries"]) == (2, 0, 6)
    assert len({(seen.headers["idempotency-key"], seen.body) for seen in stage.endpoint.seen}) == 1
    assert len(stage.endpoint.seen) == 4


def test_row_25_no_redirect_is_followed_or_acknowledges_and_no_key_leaves(stage: EndpointStage) -> None:
    with HostileEndpoint() as elsewhere:
        statuses = (301, 302, 303, 307, 308)
        redirects = [
            answering(with_length(f"{status} Elsewhere", b"", f"Location: {where}"))
            for status in statuses
            for where in (f"{elsewhere.base_url}/api/client/events", "/api/client/events", "//127.0.0.1:1/x")
        ]
        stage.script.then(one_after_the_other(redirects))
        stage.produce_customs("event-1", "event-2")

        books = stage.settle(stage.serve(only=CUSTOM))["client"]

        assert (books["delivered"], books["dead_lettered"]) == (2, 0)
        assert elsewhere.seen == []
        assert {seen.target for seen in stage.endpoint.seen} == {"/api/client/events"}


def test_row_22_a_hostile_registry_is_waited_for_and_only_its_own_word_makes_a_dead_letter(
    stage: EndpointStage, tmp_path: Path
) -> None:
    schema = json.dumps({"schema": json.dumps(stage.schema)}).encode()
    unknown = with_length("404 Not Found", b'{"error_code": 40403, "message": "Schema 999 not found"}')
    answers = {f"/schemas/ids/{stage.schema_id}": with_length("200 OK", schema, "Content-Type: text/html")}
    tricks = one_after_the_other(
        [
            answering(page("404 Not Found")),
            answering(with_length("404 Not Found", b'{"error_code": 40401, "message": "no subject"}')),
            answering(page("200 OK")),
            answering(with_length("307 Elsewhere", b"", "Location: /elsewhere")),
            pouring(head("HTTP/1.1 200 OK"), b" " * 65536),
            answering(with_length("200 OK", b"[" * 50_000)),
            resetting(head("HTTP/1.1 200 OK", "Content-Length: 500") + schema[:100]),
        ]
    )

    def spoil(seen: Seen) -> Behaviour | None:
        return tricks(seen) or answering(answers.get(seen.target.partition("?")[0], unknown))

    with HostileEndpoint() as registry:
        registry.play(lambda wire, seen: (spoil(seen) or answering(unknown))(wire, seen))
        stage.produce_customs("event-1")
        stage.produce(b"\x00" + (999).to_bytes(4, "big") + b"anything")
        consumer = stage.serve(only=CUSTOM, SCHEMA_REGISTRY_URL=registry.base_url)
        consumer.wait_for_status(lambda status: status["decoding"]["state"] == "halted", 60.0)
        assert stage.committed == {0: 0}
        books = stage.settle(consumer)["client"]

        assert books["delivered"] == 1
        assert stage.letters_by("reason") == {"unknown schema id": 1}
        assert not any(seen.target == "/elsewhere" for seen in registry.seen)
