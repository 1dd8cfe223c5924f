"""A team's own world for the simulator: what is in the file is on record, and each mistake has its line."""

import re
from pathlib import Path

import httpx
import pytest

from consumer.cli.simulated_world import WorldModel, read_world
from consumer.errors import ConfigurationError
from consumer.sandbox.simulator import SimulatorConfig, SimulatorThread

_WORLD = """\
users: [user-1, ada@example.com, "+14155552671"]
experiences: [harbour]
experience_values: [harbour-lights]
pairs: {newsletter: [sent, opened]}
touchpoints:
  - id: gate
    name: Gate
    value: gate
    experience_id: harbour
    visits:
      - {user_id: user-1, timestamp_utc: 2026-04-27T13:35:00Z}
experience_pages: false
event_open_names: [seen]
client_time_key: at
"""


def _write(folder: Path, text: str) -> Path:
    file = folder / "world.yaml"
    file.write_text(text)
    return file


def test_the_simulator_knows_what_the_file_says_and_nobody_else(tmp_path: Path) -> None:
    changes = read_world(_write(tmp_path, _WORLD))
    config = SimulatorConfig(distinct_api_key="shared", client_api_key="pk_c", **changes)
    event = {
        "email": "ada@example.com",
        "feature": "newsletter",
        "action": "opened",
        "experienceId": "harbour",
        "capturedAt": "2026-04-27T13:35:00Z",
    }
    capture = {
        "type": "PHOTO_VIEWED_BY_USER",
        "eventValue": "e",
        "recordCapturedAt": "2026-04-27T13:35:00Z",
        "email": "ada@example.com",
    }
    with (
        SimulatorThread(config) as simulator,
        httpx.Client(base_url=simulator.base_url, trust_env=False, verify=False) as client,
    ):

        def ask(path: str, body: dict[str, str]) -> tuple[int, str]:
            answer = client.post(path, json=body, headers={"x-distinct-api-key": "shared"})
            return answer.status_code, answer.json()["message"]

        analytics, cup = "/api/v1/user/analytics", "/api/v1/analytics/capture"
        assert ask(analytics, event)[0] == 200
        assert ask(analytics, event | {"email": "bo@example.com"}) == (400, "User not found.")
        assert ask(analytics, event | {"experienceId": "47Gop5"}) == (400, "Invalid experience id.")
        assert ask(analytics, event | {"feature": "page_visit", "action": "viewed"})[0] == 200
        assert ask(f"{cup}/harbour-lights", capture)[0] == 200
        assert ask(f"{cup}/fifa-cwc-2025", capture) == (404, "Experience not found.")
        simulator.remote.register(["bo@example.com"])
        assert ask(analytics, event | {"email": "bo@example.com"})[0] == 200
        assert [touchpoint.id for touchpoint in simulator.remote.touchpoints()] == ["gate"]


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    plain = SimulatorConfig(distinct_api_key="shared", client_api_key="pk_c")
    changes = read_world(_write(tmp_path, ""))
    assert SimulatorConfig(distinct_api_key="shared", client_api_key="pk_c", **changes) == plain


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("user: [a]\n", [":1: user: unknown key; did you mean users?"]),
        ("users: user-1\nexperience_pages: yes\n", [":1: users: must be", ":2: experience_pages: must be"]),
        (
            _WORLD.replace("2026-04-27T13:35:00Z", "yesterday"),
            [":11: touchpoints.0.visits.0: ", "must look like 2024-01-01T10:00:00Z"],
        ),
        ("users: [", ["not valid YAML"]),
    ],
)
def test_each_mistake_is_named_with_its_line_and_key(tmp_path: Path, text: str, messages: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_world(_write(tmp_path, text))
    for message in messages:
        assert message in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"world\.yaml: the file can't be read"):
        read_world(tmp_path / "world.yaml")


def test_the_example_of_the_page_loads(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "simulator.md").read_text()
    (text,) = re.findall(r"```yaml world\.yaml\n(.*?)```", page, re.DOTALL)
    changes = read_world(_write(tmp_path, text))
    assert changes.keys() == set(WorldModel.model_fields)
