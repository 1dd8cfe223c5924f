"""A topology is read again on request and when its files change; what is broken is told and changes nothing."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from consumer.cli.reloading import Reloading
from consumer.errors import ConfigurationError
from consumer.topology.plan import Plan
from tests.unit.topology.workshop import FILE, Workshop

LOOK_S = 0.01


class Running:
    """What a consumer runs by."""

    def __init__(self, workshop: Workshop) -> None:
        workshop.write("t.yaml", FILE)
        self.workshop = workshop
        self.plans: list[Plan] = [workshop.load()]
        self.refusal = ""
        self.reloading = Reloading(
            [workshop.folder], workshop.load, self.use, self.plans[0].version, look_every_s=LOOK_S
        )

    def use(self, plan: Plan) -> None:
        if self.refusal:
            raise ConfigurationError([self.refusal])
        self.plans.append(plan)


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(10.0):
        while not reached():  # noqa: ASYNC110 - what is waited for is a line of the log
            await asyncio.sleep(LOOK_S)


@pytest.fixture
async def running(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Running]:
    caplog.set_level(logging.INFO)
    running = Running(Workshop(tmp_path))
    task = asyncio.create_task(running.reloading.run())
    yield running
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_stop_as_it_is_asked_to_read_is_a_stop(tmp_path: Path) -> None:
    reloading = Running(Workshop(tmp_path)).reloading
    task = asyncio.create_task(reloading.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    reloading.ask()
    task.cancel()

    done, _ = await asyncio.wait({task}, timeout=10.0)

    assert done
    assert task.cancelled()


async def test_a_changed_file_is_used_without_being_asked(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.workshop.change("{const: Looked}", "{const: Seen}")
    await until(lambda: len(running.plans) == 2)

    old, new = running.plans
    assert new.version != old.version
    assert f"topology reloaded: records are mapped by version {new.version} from now on" in caplog.messages


async def test_a_broken_file_is_told_and_the_next_sound_one_is_used(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.workshop.change("to: stats", "to: stat")
    await until(lambda: any("not reloaded" in message for message in caplog.messages))
    (told,) = [message for message in caplog.messages if "not reloaded" in message]
    assert told.endswith("routes.bought.to: there is no destination stat; did you mean stats?")
    assert len(running.plans) == 1

    running.workshop.change("{const: Looked}", "{const: Seen}")
    await until(lambda: len(running.plans) == 2)


async def test_what_needs_a_restart_is_told_line_by_line(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.refusal = "topics.visits.start: can't be changed while it runs"
    running.workshop.change("schema: visit", "schema: visit\n    start: latest")
    await until(lambda: any("not reloaded" in message for message in caplog.messages))

    assert "topology not reloaded: topics.visits.start: can't be changed while it runs" in caplog.messages


async def test_asked_for_it_is_read_at_once_and_says_so_where_nothing_changed(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.reloading.ask()
    await until(lambda: any("nothing in it has changed" in message for message in caplog.messages))

    assert len({plan.version for plan in running.plans}) == 1


async def test_a_comment_alone_is_no_other_topology(running: Running) -> None:
    running.workshop.write("t.yaml", "# a comment\n" + FILE)
    await asyncio.sleep(20 * LOOK_S)

    assert len(running.plans) == 1
