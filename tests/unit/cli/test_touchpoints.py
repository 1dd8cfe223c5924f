"""`touchpoints` as its users run it, over HTTP, against the simulator."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from consumer.cli import slow_progress
from consumer.cli.command import command
from consumer.cli.touchpoints import touchpoints
from consumer.errors import ConfigurationError, FaultError, UsageError
from consumer.sandbox.simulator import (
    ApiFaults,
    FaultPlan,
    Outage,
    SimulatorConfig,
    SimulatorRemote,
    SimulatorThread,
    Touchpoint,
    Visit,
)

ADMIN_KEY = "admin-key-of-the-test"
SCANS = [
    ("user-1", "2024-01-01T10:00:00Z"),
    ("user-2", "2024-01-02T10:00:00Z"),
    ("user-1", "2024-01-03T10:00:00Z"),
]


@pytest.fixture
def base_url() -> Iterator[str]:
    config = SimulatorConfig(
        distinct_api_key="shared-key-of-the-test",
        client_api_key="pk_client",
        distinct_admin_api_key=ADMIN_KEY,
    )
    with SimulatorThread(config) as vendor:
        yield vendor.base_url


@pytest.fixture
def vendor(base_url: str) -> SimulatorRemote:
    return SimulatorRemote(base_url)


def run(base_url: str, *arguments: str, **environment: str) -> Result:
    given = {"DISTINCT_BASE_URL": base_url, "DISTINCT_ADMIN_API_KEY": ADMIN_KEY, **environment}
    return CliRunner().invoke(touchpoints, arguments, env=given)


def as_json(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    document: dict[str, object] = json.loads(result.stdout)
    return document


def as_rows(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.mark.parametrize("page_size", ["1", "50"])
def test_an_experience_has_its_touchpoints_with_both_counts(base_url: str, page_size: str) -> None:
    found = as_json(run(base_url, "experience", "47Gop5", "--output", "json", "--page-size", page_size))

    assert found == {
        "experience_id": "47Gop5",
        "total_touchpoints": 2,
        "complete": True,
        "touchpoints": [
            {
                "id": "tp-1",
                "name": "Entry Scan",
                "value": "entry_scan",
                "total_visits": 3,
                "unique_visits": 2,
            },
            {"id": "tp-2", "name": "Exit Scan", "value": "exit_scan", "total_visits": 1, "unique_visits": 1},
        ],
    }


@pytest.mark.parametrize("page_size", ["1", "2", "50"])
def test_total_visits_are_every_scan(base_url: str, page_size: str) -> None:
    found = as_json(run(base_url, "touchpoint", "tp-1", "--output", "json", "--page-size", page_size))

    assert (found["visits_type"], found["total_visits"], found["complete"]) == ("TOTAL", 3, True)
    assert found["visits"] == [{"user_id": user, "timestamp_utc": time} for user, time in SCANS]


@pytest.mark.parametrize("word", ["UNIQUE", "unique"])
def test_unique_visits_are_the_first_of_each_user(base_url: str, word: str) -> None:
    found = as_json(run(base_url, "touchpoint", "tp-1", "--visits", word, "--output", "json"))

    assert (found["visits_type"], found["unique_visits"]) == ("UNIQUE", 2)
    assert found["visits"] == [{"user_id": user, "timestamp_utc": time} for user, time in SCANS[:2]]


def test_a_users_scans_are_a_row_each_in_csv_and_grouped_in_json(base_url: str) -> None:
    rows = as_rows(run(base_url, "user", "47Gop5", "user-1", "--output", "csv"))
    document = as_json(run(base_url, "user", "47Gop5", "user-1", "--output", "json"))

    assert [row["timestamp_utc"] for row in rows] == ["2024-01-01T10:00:00Z", "2024-01-03T10:00:00Z"]
    assert rows[0]["touchpoint_id"] == "tp-1"
    assert isinstance(document["touchpoints"], list)
    assert document["touchpoints"][0]["timestamps_utc"] == ["2024-01-01T10:00:00Z", "2024-01-03T10:00:00Z"]


def test_a_table_names_what_it_shows(base_url: str) -> None:
    table = run(base_url, "touchpoint", "tp-1").stdout

    assert "3 visits of Entry Scan (tp-1)" in table
    assert "2024-01-03T10:00:00Z" in table


def test_what_would_be_a_formula_is_text_in_a_spreadsheet(base_url: str, vendor: SimulatorRemote) -> None:
    name = '=HYPERLINK("https://evil.example","x")'
    vendor.replace_touchpoints([Touchpoint(id="tp-1", name=name, value="v", experience_id="e")])

    [row] = as_rows(run(base_url, "experience", "e", "--output", "csv"))

    assert row["name"] == f"'{name}"
    assert row["total_visits"] == "0"


def test_a_name_cannot_speak_to_the_terminal(base_url: str, vendor: SimulatorRemote) -> None:
    vendor.replace_touchpoints(
        [Touchpoint(id="tp-1", name="\x1b[31m[bold]red[/bold]", value="v", experience_id="e")]
    )

    table = run(base_url, "experience", "e").stdout

    assert "\x1b" not in table
    assert "[bold]red[/bold]" in table


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("experience", "nowhere"), "Experience not found"),
        (("user", "47Gop5", "unknown-1"), "User not found"),
        (("touchpoint", "tp-9"), "Touchpoint not found"),
    ],
)
def test_what_is_not_there_is_one_message_without_ids(
    base_url: str, arguments: tuple[str, ...], text: str
) -> None:
    result = run(base_url, *arguments)

    assert isinstance(result.exception, FaultError)
    assert str(result.exception) == f"Distinct gave no metrics: {text}"


def test_the_shared_key_is_refused_before_anything_is_asked(base_url: str, vendor: SimulatorRemote) -> None:
    result = run(base_url, "touchpoint", "tp-1", DISTINCT_API_KEY=ADMIN_KEY)

    assert isinstance(result.exception, ConfigurationError)
    assert "DISTINCT_ADMIN_API_KEY is the same key as DISTINCT_API_KEY" in str(result.exception)
    assert ADMIN_KEY not in str(result.exception)
    assert vendor.report().touchpoint_metrics.requests == 0


def test_the_key_may_come_from_a_file_that_the_config_file_names(base_url: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(ADMIN_KEY)
    (tmp_path / "c.yaml").write_text(f"distinct_admin_api_key_file: {tmp_path / 'key'}\n")

    result = run(
        base_url, "touchpoint", "tp-1", "--config", str(tmp_path / "c.yaml"), DISTINCT_ADMIN_API_KEY=""
    )

    assert result.exit_code == 0, result.output


def test_a_wrong_key_is_named_as_the_trouble(base_url: str) -> None:
    result = run(base_url, "touchpoint", "tp-1", DISTINCT_ADMIN_API_KEY="shared-key-of-the-test")

    assert "401 unauthorized: the key is missing, wrong, or not an admin key" in str(result.exception)


def test_everything_that_is_wrong_with_the_settings_is_told_at_once() -> None:
    result = run("http://api.example.com", "touchpoint", "tp-1", DISTINCT_ADMIN_API_KEY="")

    assert isinstance(result.exception, ConfigurationError)
    assert [text.split()[0] for text in result.exception.findings] == [
        "DISTINCT_BASE_URL",
        "DISTINCT_ADMIN_API_KEY",
    ]
    assert "plain http" in result.exception.findings[0]


def test_a_throttled_api_is_asked_again(base_url: str, vendor: SimulatorRemote) -> None:
    vendor.declare({"touchpoint_metrics": Outage(status=429, headers={"retry-after": "0"}, count=2)})

    assert run(base_url, "touchpoint", "tp-1", "--output", "csv").exit_code == 0


def test_what_is_slow_says_so_on_stderr_and_what_is_quick_says_nothing(
    base_url: str, vendor: SimulatorRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(base_url, "touchpoint", "tp-1").stderr == ""
    monkeypatch.setattr(slow_progress, "PATIENCE_S", 0.2)
    vendor.follow(FaultPlan(touchpoint_metrics=ApiFaults(latency_ms=150.0)))

    slow = run(base_url, "touchpoint", "tp-1", "--page-size", "1", "--output", "csv")

    assert "of 3 read, request" in slow.stderr
    assert len(as_rows(slow)) == 3


def test_equals_that_a_page_boundary_tears_apart_are_both_there(
    base_url: str, vendor: SimulatorRemote
) -> None:
    # One user twice in the same second, and a page size that tears the two apart: a second pass settles it.
    scans = [Visit(user_id="user-1", timestamp_utc="2024-01-01T10:00:00Z")] * 2
    vendor.replace_touchpoints(
        [Touchpoint(id="tp-1", name="n", value="v", experience_id="e", visits=tuple(scans))]
    )

    result = run(base_url, "touchpoint", "tp-1", "--page-size", "1", "--output", "csv")

    assert len(as_rows(result)) == 2
    assert result.stderr == ""


@pytest.mark.parametrize("name", ["", "a\x1bb", "\udcff"])
def test_an_id_that_cannot_be_one_is_refused(base_url: str, name: str) -> None:
    result = run(base_url, "touchpoint", name)

    assert result.exit_code == 2
    assert "printable" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "give --experience or --touchpoint"),
        (("--touchpoint", "tp-1", "--schema-registry-url", "mock://x"), "must be an http or https URL"),
    ],
)
def test_a_stream_that_could_do_nothing_is_refused(
    base_url: str, arguments: tuple[str, ...], text: str
) -> None:
    settings = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "SCHEMA_REGISTRY_URL": "http://127.0.0.1:1"}

    result = run(base_url, "stream", "--topic", "visits", *arguments, **settings)

    assert isinstance(result.exception, UsageError)
    assert text in str(result.exception)


def test_a_stream_does_not_ask_without_a_pause(base_url: str) -> None:
    result = run(base_url, "stream", "--topic", "visits", "--touchpoint", "tp-1", "--interval", "10ms")

    assert result.exit_code == 2
    assert "must be a second at least" in result.stderr


@pytest.mark.parametrize("name", sorted(touchpoints.commands))
def test_every_subcommand_is_described_with_examples_within_80_columns(name: str) -> None:
    result = CliRunner().invoke(command, ["touchpoints", name, "--help"], terminal_width=80)

    assert f"  distinct-consumer touchpoints {name}" in result.stdout[result.stdout.index("Examples:") :]
    assert max(map(len, result.stdout.splitlines())) <= 80
    options = [one for one in touchpoints.commands[name].params if isinstance(one, click.Option)]
    assert [one.opts for one in options if not one.help] == []
