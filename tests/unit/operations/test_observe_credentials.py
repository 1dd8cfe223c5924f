"""`check --online` tries keys: a good one passes, a bad one fails, and nothing is stored by either."""

from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

import pytest

from consumer.clock import SystemClock
from consumer.http.httpx_sender import HttpxSender
from consumer.http.sender import Answer, Failure, FailureKind, SenderPolicy
from consumer.operations.observation import Observation
from consumer.operations.observe_credentials import observe_credential
from consumer.sandbox.simulator import SimulatorConfig, SimulatorThread
from consumer.topology.credential import UnresolvedCredential
from consumer.topology.plan import Batch, Destination, RetryPolicy, Timeouts

KEYS = {"distinct": "distinct-key", "client_api": "pk_client"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorThread]:
    with SimulatorThread(
        SimulatorConfig(distinct_api_key="distinct-key", client_api_key="pk_client")
    ) as running:
        yield running


def destination(
    api: str, base_url: str = "https://receiver.example", reference: str = "env:KEY"
) -> Destination:
    return Destination(
        name="crm",
        account="crm",
        api=api,
        base_url=base_url,
        credential=UnresolvedCredential(reference),
        ca_file=None,
        timeouts=Timeouts(2.0, 5.0),
        concurrency=1,
        rate_per_s=None,
        batch=Batch(1, 1024, 0.0),
        retry=RetryPolicy(0.1, 1.0, 3, 3, 1.0),
        paused=False,
        max_refusal_ratio=0.5,
    )


class Saying:
    """A receiver that gives one answer to everything."""

    def __init__(self, answer: Answer | Failure) -> None:
        self._answer = answer

    def __call__(self, policy: SenderPolicy) -> "Saying":
        return self

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, begin_by_s: float = inf
    ) -> Answer | Failure:
        return self._answer

    async def close(self) -> None:
        pass


async def tried(simulator: SimulatorThread, api: str, key: str) -> Observation:
    return await observe_credential(
        destination(api, simulator.base_url), {"KEY": key}, HttpxSender, SystemClock()
    )


async def answered(api: str, answer: Answer | Failure, **changes: Any) -> Observation:
    of = destination(api, **changes)
    return await observe_credential(of, {"KEY": "hunter2"}, Saying(answer), SystemClock())


@pytest.mark.parametrize("api", KEYS)
async def test_a_good_key_passes_a_bad_one_fails_and_neither_stores_anything(
    simulator: SimulatorThread, api: str
) -> None:
    good, bad = await tried(simulator, api, KEYS[api]), await tried(simulator, api, "pk_another")

    assert (good.state, bad.state) == ("ok", "failed")
    assert "key" in bad.text
    assert {
        api: counts["accepted"] for api, counts in simulator.remote.books().items() if counts["accepted"]
    } == {}
    assert any(counts["refused"] for counts in simulator.remote.books().values()), (
        "the good key's request came"
    )


async def test_where_the_vendor_does_not_say_that_keys_come_first_it_is_no_proof(
    simulator: SimulatorThread,
) -> None:
    assert (await tried(simulator, "client_api", "pk_client")).text == "accepted"
    assert "no proof" in (await tried(simulator, "distinct", "distinct-key")).text


@pytest.mark.parametrize("api", ["distinct_capture", "somebody_elses"])
async def test_where_a_key_cannot_be_tried_without_creating_data_it_is_said_and_nothing_is_sent(
    api: str,
) -> None:
    seen = await observe_credential(destination(api), {"KEY": "k"}, _unused, SystemClock())

    assert seen.state == "untested"
    assert "cannot be tried without creating data" in seen.text


def _unused(policy: SenderPolicy) -> Saying:
    raise AssertionError("no request may be made")


@pytest.mark.parametrize(
    ("answer", "state", "text"),
    [
        (Answer(401, {}, b"{}"), "failed", "401"),
        (Answer(302, {}, b""), "failed", "redirect"),
        (Answer(404, {"content-type": "text/plain"}, b"Not Found"), "failed", "unknown path"),
        (Answer(500, {}, b""), "warning", "no clear answer"),
        (Answer(429, {}, b""), "warning", "no clear answer"),
        (Answer(204, {}, b""), "warning", "acknowledged a request that holds nothing"),
        (
            Failure(FailureKind.DNS, "no such host", sent=False),
            "failed",
            "name not resolved: receiver.example:443",
        ),
        (Failure(FailureKind.TIMEOUT, "slow", sent=True), "warning", "no answer in time"),
    ],
)
async def test_every_answer_is_told_by_what_it_means_for_the_destination(
    answer: Answer | Failure, state: str, text: str
) -> None:
    seen = await answered("client_api", answer)

    assert (seen.area, seen.name, seen.state) == ("credential", "crm", state)
    assert text in seen.text
    assert "hunter" not in seen.text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"reference": "env:OTHER"}, "OTHER is not set"),
        ({"reference": "file:/nowhere/key"}, "/nowhere/key does not exist"),
        ({"base_url": "${CRM_URL}"}, "${CRM_URL} is not set"),
    ],
)
async def test_a_key_or_an_address_that_is_not_there_fails_by_its_name(
    changes: dict[str, str], text: str
) -> None:
    seen = await answered("client_api", Answer(204, {}, b""), **changes)

    assert seen.state == "failed"
    assert text in seen.text
