"""The parent's admin port, and what it keeps of each worker."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from consumer.admin.answers import Answers
from consumer.admin.client import Answer, ask
from consumer.admin.server import AdminServer
from consumer.clock import ManualClock
from consumer.core.books import Books, DestinationBooks
from consumer.workers.answers import WorkersAnswers
from consumer.workers.looks import FRESH_S, Looks
from consumer.workers.reports import Started
from consumer.workers.slot import Slot
from consumer.workers.worker_process import End, WorkerProcess
from tests.listener import Listener
from tests.unit.workers.test_sums import document, scrape


class Process:
    """Stands for a worker's process that has started."""

    pid = 4711

    def __init__(self, port: int) -> None:
        self.started = Started("127.0.0.1", port)
        self.running = True
        self.killed = False

    async def over(self, within_s: float) -> bool:
        self.running = not self.killed
        return not self.running


class Workers:
    """Two slots whose workers answer what the test says."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.slots = [Slot(number, self.clock) for number in (1, 2)]
        self.answers: dict[tuple[int, str], Answer | OSError] = {}
        self.asked: list[tuple[int, str]] = []
        for slot in self.slots:
            self.fill(slot)
            self.says(slot.number, "/ready", 200, {"ready": True, "reason": "ok"})
            self.says(slot.number, "/live", 200, {"live": True, "reason": "ok"})
            self.says(slot.number, "/status", 200, document())
            self.answers[slot.number, "/metrics"] = Answer(200, scrape(3).encode())
        self.port = WorkersAnswers(self.slots, Looks(self.slots, self.clock, self._ask), self.clock)

    def fill(self, slot: Slot) -> None:
        slot.fill(cast(WorkerProcess, Process(slot.number)))
        slot.state = "running"

    def says(self, number: int, path: str, status: int, body: dict[str, Any]) -> None:
        self.answers[number, path] = Answer(status, json.dumps(body).encode())

    async def _ask(self, host: str, port: int, path: str) -> Answer:
        self.asked.append((port, path))
        await asyncio.sleep(0)
        answer = self.answers[port, path]
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def get(self, path: str) -> tuple[int, Any]:
        self.clock.advance(FRESH_S * 2)
        reply = await self.port.to("GET", path, "")
        body = reply.body.decode()
        return reply.status, json.loads(body) if reply.content_type == "application/json" else body


@pytest.fixture
async def workers() -> Workers:
    return Workers()


async def test_ready_means_that_all_are(workers: Workers) -> None:
    assert await workers.get("/ready") == (200, {"ready": True, "reason": "ok"})

    workers.says(2, "/ready", 503, {"ready": False, "reason": "has not joined the group yet"})

    reason = "worker 2: has not joined the group yet"
    assert await workers.get("/ready") == (503, {"ready": False, "reason": reason})


async def test_one_that_waits_for_its_start_is_not_ready_but_no_reason_to_begin_anew(
    workers: Workers,
) -> None:
    workers.slots[1].empty(End(-9))
    workers.slots[1].wait()

    assert await workers.get("/ready") == (503, {"ready": False, "reason": "worker 2: is waiting"})
    assert (await workers.get("/live"))[0] == 200


async def test_one_that_has_done_its_part_is_not_waited_for(workers: Workers) -> None:
    workers.slots[1].empty(End(0))

    assert (await workers.get("/ready"))[0] == 200


async def test_one_that_does_not_answer_is_not_live(workers: Workers) -> None:
    workers.answers[1, "/live"] = TimeoutError()

    assert await workers.get("/live") == (503, {"live": False, "reason": "worker 1: does not answer"})


async def test_one_whose_port_refuses_is_not_live_while_its_process_is(workers: Workers) -> None:
    workers.answers[1, "/live"] = ConnectionRefusedError()

    assert await workers.get("/live") == (503, {"live": False, "reason": "worker 1: does not answer"})


async def test_one_that_was_killed_a_moment_ago_is_no_reason_to_begin_anew(workers: Workers) -> None:
    """Its port is closed, and its end is not known yet."""
    await workers.get("/ready")
    workers.answers[1, "/live"] = ConnectionRefusedError()
    cast(Process, workers.slots[0].process).killed = True

    assert (await workers.get("/live"))[0] == 200
    assert (await workers.get("/live"))[0] == 200, "its end is known, and nobody has gone on from there yet"
    assert (await workers.get("/ready")) == (503, {"ready": False, "reason": "worker 1: has ended"})


async def test_status_has_the_sums_and_each_worker(workers: Workers) -> None:
    status, body = await workers.get("/status")

    assert status == 200
    assert (body["consumed"], body["balanced"]) == (40, True)
    one, two = body["workers"]
    assert (one["worker"], two["worker"], one["state"], one["answers"]) == (1, 2, "running", True)
    assert (one["admin"], one["pid"], one["restarts"], one["last_end"]) == ("127.0.0.1:1", 4711, 0, None)
    assert one["status"]["consumed"] == 20


async def test_a_worker_that_does_not_answer_keeps_its_place_in_the_sum(workers: Workers) -> None:
    await workers.get("/status")
    workers.answers[2, "/status"] = OSError()

    _, body = await workers.get("/status")

    assert body["consumed"] == 40
    assert [one["answers"] for one in body["workers"]] == [True, False]


async def test_an_answer_that_comes_after_its_process_ended_is_not_counted_twice(workers: Workers) -> None:
    await workers.get("/status")
    slot = workers.slots[1]
    old = slot.process
    assert old is not None
    slot.empty(End(-9))
    slot.wait()
    workers.fill(slot)

    slot.hear(old, "/status", Answer(200, json.dumps(document()).encode()))

    assert slot.books.consumed == 20
    assert slot.status is None


async def test_books_of_a_killed_worker_stay_and_its_successor_adds_to_them(workers: Workers) -> None:
    await workers.get("/status")
    slot = workers.slots[1]
    slot.empty(End(-9))
    slot.wait()
    _, between = await workers.get("/status")
    workers.fill(slot)
    _, after = await workers.get("/status")

    assert (between["consumed"], between["in_flight"], between["balanced"]) == (40, 7, True)
    assert (after["consumed"], after["in_flight"], after["balanced"]) == (60, 14, True)
    assert after["workers"][1]["last_end"] == "was killed by SIGKILL"


async def test_a_last_word_is_truer_than_the_last_look(workers: Workers) -> None:
    await workers.get("/status")
    last = Books(consumed=25, settled=25, destinations={"client": DestinationBooks()})

    workers.slots[1].empty(End(0, books=last.as_json(1.0)))

    assert (await workers.get("/status"))[1]["consumed"] == 20 + 25


async def test_counters_never_fall_when_a_worker_ends_and_comes_back(workers: Workers) -> None:
    async def consumed() -> float:
        _, text = await workers.get("/metrics")
        (line,) = [
            one for one in text.splitlines() if one.startswith("distinct_consumer_records_consumed_total ")
        ]
        return float(line.split()[1])

    seen = [await consumed()]
    slot = workers.slots[1]
    slot.empty(End(-9))
    slot.wait()
    seen.append(await consumed())
    workers.answers[2, "/metrics"] = Answer(200, scrape(1).encode())
    workers.fill(slot)
    seen.append(await consumed())

    assert seen == [6, 6, 7]


async def test_metrics_say_who_is_up_and_how_often_it_was_started_again(workers: Workers) -> None:
    workers.slots[1].empty(End(-9))
    workers.slots[1].wait()

    _, text = await workers.get("/metrics")

    assert 'distinct_consumer_worker_up{worker="1"} 1.0' in text
    assert 'distinct_consumer_worker_up{worker="2"} 0.0' in text
    assert 'distinct_consumer_worker_restarts_total{worker="2"} 1.0' in text
    assert 'process_resident_memory_bytes{worker="parent"}' in text


async def test_many_that_ask_at_once_are_one_question_to_the_workers(workers: Workers) -> None:
    workers.clock.advance(1.0)

    await asyncio.gather(*(workers.port.to("GET", "/status", "") for _ in range(50)))

    assert workers.asked == [(1, "/status"), (2, "/status")]


async def test_one_that_asks_and_leaves_does_not_take_the_answer_from_others(workers: Workers) -> None:
    workers.clock.advance(1.0)
    leaves = asyncio.create_task(workers.port.to("GET", "/ready", ""))
    stays = asyncio.create_task(workers.port.to("GET", "/ready", ""))
    await asyncio.sleep(0)
    leaves.cancel()

    assert (await stays).status == 200


async def test_nonsense_of_a_worker_is_no_end_of_the_port(workers: Workers) -> None:
    await workers.get("/status")
    workers.answers[2, "/status"] = Answer(200, b"<html>")

    assert (await workers.get("/status"))[1]["consumed"] == 40


async def test_other_paths_are_answered_as_by_a_single_process(workers: Workers) -> None:
    assert (await workers.get("/nothing"))[0] == 404
    assert "<title>distinct-consumer</title>" in (await workers.get("/"))[1]
    assert (await workers.port.to("POST", "/status", "")).status == 405


# --- asking ---


class _Any:
    """A status source, and metrics, of a size that the test chooses."""

    size = 10

    def status(self) -> dict[str, Any]:
        return {"text": "x" * self.size}

    def live(self) -> tuple[bool, str]:
        return False, "stands"

    async def ready(self) -> tuple[bool, str]:
        await asyncio.sleep(60)
        return True, "ok"

    def render(self, accept: str) -> tuple[str, bytes]:
        return "text/plain", b""


@pytest.fixture
async def port() -> AsyncIterator[int]:
    source = _Any()
    server = AdminServer(Answers(source, source, ready_timeout_s=5.0), "127.0.0.1", 0)
    yield (await server.start())[1]
    await server.stop()


async def test_a_question_gets_status_and_body(port: int) -> None:
    answer = await ask("127.0.0.1", port, "/live")

    assert (answer.status, json.loads(answer.body)) == (503, {"live": False, "reason": "stands"})


async def test_an_answer_that_is_too_late_too_large_or_none_is_an_oserror(port: int) -> None:
    with pytest.raises(TimeoutError):
        await ask("127.0.0.1", port, "/ready", timeout_s=0.1)
    with pytest.raises(OSError, match="larger than 5 bytes"):
        await ask("127.0.0.1", port, "/status", max_bytes=5)

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n\r\n")
        writer.close()

    server = await Listener(babble).start()
    with pytest.raises(OSError, match="no answer in HTTP"):
        await ask("127.0.0.1", server.port, "/live")
    await server.close()
