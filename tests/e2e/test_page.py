"""The status page in a browser, as somebody opens it at night."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from consumer.sandbox.simulator.outage import Outage
from tests.e2e.admin_port import AdminPort
from tests.e2e.browser import watched_page
from tests.e2e.people import Person
from tests.integration.processes import wait_until
from tests.integration.stage import Stage

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def page() -> Iterator["Page"]:
    with watched_page() as page:
        yield page


def test_the_page_shows_what_is_wrong_since_when_and_that_it_is_over(
    stage: Stage, person: Person, page: "Page"
) -> None:
    stage.receiver.remote.declare({"client_api": Outage(status=401)})
    stage.produce(person.engaged("e-1"), b"no Avro at all")
    port = AdminPort(stage.consumer())
    wait_until(lambda: port.state_of("client")[0] == "halted", 30.0, lambda: f"{port.status}")

    page.goto(port.url)
    page.wait_for_selector("#alarms li")

    assert page.inner_text("#state") == "needs attention"
    alarm = page.inner_text("#alarms li")
    assert alarm.startswith("destination client, for ")
    assert "halted: 401" in alarm
    assert _row(page, "#destinations", "client")[:2] == ["client", "halted"]
    assert _row(page, "#destinations", "user-analytics")[:2] == ["user-analytics", "running"]
    assert _row(page, "#letters", "(decoding)")[1:] == ["wrong magic byte", "1"]
    assert _row(page, "#partitions", f"{stage.topic} [0]")[1] == "0"
    assert _row(page, "#held", "client")[1] == "1"

    stage.receiver.remote.declare({})
    page.wait_for_selector("#state.good", timeout=30_000)
    assert page.inner_text("#state") == "running"
    assert page.query_selector("#alarms li") is None
    wait_until(lambda: _row(page, "#destinations", "client")[3] == "1", 10.0)


def test_the_page_fits_a_phone(stage: Stage, person: Person, page: "Page") -> None:
    stage.produce(person.engaged("e-1"), b"no Avro at all")
    port = AdminPort(stage.consumer())
    wait_until(lambda: port.status["settled"] == 2, 30.0, lambda: f"{port.status}")

    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(port.url)
    page.wait_for_selector("#letters td")

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_page_of_several_workers_shows_the_sums_and_each_of_them(
    stage: Stage, person: Person, page: "Page"
) -> None:
    stage.produce(person.engaged("e-1"), b"no Avro at all")
    port = AdminPort(stage.consumer("--workers", "2"))
    wait_until(lambda: port.get("/ready").status_code == 200, 30.0, lambda: f"{port.status}")
    wait_until(lambda: port.status["settled"] == 2, 30.0, lambda: f"{port.status}")

    page.goto(port.url)
    page.wait_for_selector("#workers td")

    assert page.inner_text("#state") == "running"
    assert [_row(page, "#workers", number)[1] for number in "12"] == ["running", "running"]
    assert sorted(_row(page, "#workers", number)[4] for number in "12") == ["0", "1"]
    assert _row(page, "#letters", "(decoding)")[1:] == ["wrong magic byte", "1"]
    assert _row(page, "#partitions", f"{stage.topic} [0]")[1:] == ["2", "0", "0"]


def _row(page: "Page", table: str, first: str) -> list[str]:
    """The cells of the row that begins with this text."""
    rows = page.query_selector_all(f"{table} tbody tr")
    cells = [[cell.inner_text() for cell in row.query_selector_all("td")] for row in rows]
    return next(row for row in cells if row[0] == first)
