"""`topology test`: examples beside the routes, and every difference between expected and actual requests."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumer.cli.topology_examples import test as command
from consumer.errors import ConfigurationError
from consumer.resources import topology_dir
from tests.unit.topology.workshop import FILE, Workshop, line_of

EXAMPLES = """\
examples:
  a-look:
    key: ada
    record:
      id: e-1
      occurred_at: 2026-04-27T12:00:00Z
      who: ada
      where: {shop: north, floor: null, extra: {}}
      payload: {Looked: {page: /hats, at: null, tags: []}}
    expect:
      looked:
        path: /api/client/events
        body:
          - name: Looked
            external_id: ada
            data: {page: /hats}
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    workshop = Workshop(tmp_path)
    workshop.write("t.yaml", FILE)
    (tmp_path / "examples").mkdir()
    workshop.write("examples/looks.yaml", EXAMPLES)
    return workshop


def run(workshop: Workshop, *flags: str) -> Result:
    return CliRunner().invoke(command, [str(workshop.folder), *flags], env={"TOPOLOGY": None})


def differences(workshop: Workshop, text: str) -> list[str]:
    """Of the only example, changed so; without the folder's name."""
    workshop.write("examples/looks.yaml", text)
    result = run(workshop, "--output", "json")
    assert result.exit_code == 1, result.exception
    document: dict[str, Any] = json.loads(result.stdout)
    assert (document["passed"], document["failed"]) == (0, 1)
    return [
        text.replace(f"{workshop.folder}/examples/", "") for text in document["examples"][0]["differences"]
    ]


def test_an_example_that_is_sent_as_expected_passes(workshop: Workshop) -> None:
    result = run(workshop)

    assert result.exit_code == 0
    assert result.stdout.split() == ["ok", "a-look"]
    assert "note: no example of bought" in result.stderr


def test_every_shipped_route_has_an_example_and_all_pass() -> None:
    result = CliRunner().invoke(command, ["--output", "json"], env={"TOPOLOGY": None})

    assert result.exit_code == 0, result.stdout
    document = json.loads(result.stdout)
    assert document["passed"] > 10
    assert document["routes_without_example"] == []


@pytest.mark.parametrize(
    ("old", "new", "key", "text"),
    [
        ("data: {page: /hats}", "data: {page: /caps}", "body.0.data.page", 'is "/hats"'),
        ("data: {page: /hats}", "data: {}", "body.0.data.page", 'is there too: "/hats"'),
        ("data: {page: /hats}", "data: {page: /hats, id: e-1}", "body.0.data.id", "is not there"),
        ("path: /api/client/events", "path: /api/events", "path", "is /api/client/events"),
        ("        body:\n", "        dropped: bot\n        bdy:\n", None, None),
    ],
)
def test_a_request_that_differs_is_named_with_line_and_place(
    workshop: Workshop, old: str, new: str, key: str | None, text: str | None
) -> None:
    changed = EXAMPLES.replace(old, new)
    if key is None:
        workshop.write("examples/looks.yaml", changed)
        refused = run(workshop).exception
        assert isinstance(refused, ConfigurationError)
        assert "unknown key; did you mean body?" in str(refused)
        return

    (found,) = differences(workshop, changed)

    where, named, said = found.split(": ", 2)
    assert where.startswith("looks.yaml:")
    assert (named, said) == (f"a-look.expect.looked.{key}", text)


def test_a_route_that_takes_more_or_less_than_expected_is_named(workshop: Workshop) -> None:
    more = FILE.replace("when: {type: Bought}", "when: {type: Looked}").replace("userId: who", "userId: id")
    workshop.write("t.yaml", more)
    (too,) = differences(workshop, EXAMPLES)
    assert 'bought takes it too: {"path": "/api/v1/user/analytics", "body": {"' in too

    workshop.write("t.yaml", FILE)
    (less,) = differences(
        workshop, EXAMPLES.replace("  looked:\n", "  bought: {dropped: bot}\n      looked:\n")
    )
    assert less.endswith("a-look.expect.bought: does not take this record")

    (unknown,) = differences(
        workshop, EXAMPLES.replace("  looked:\n", "  loked: {dropped: bot}\n      looked:\n")
    )
    assert unknown.endswith("a-look.expect.loked: there is no route loked; did you mean looked?")


def test_what_is_dropped_or_refused_can_be_expected(workshop: Workshop) -> None:
    dropping = FILE.replace(
        "    when: {type: Looked}\n",
        "    when: {type: Looked}\n    drop: [{reason: inside, where: {path: where.shop, equals: north}}]\n",
    )
    expecting = EXAMPLES.partition("      looked:")[0] + "      looked: {dropped: inside}\n"
    workshop.write("t.yaml", dropping)
    workshop.write("examples/looks.yaml", expecting)
    assert run(workshop).exit_code == 0

    workshop.write("t.yaml", FILE)
    (found,) = differences(workshop, expecting)
    assert 'looked.dropped: instead: {"path": ' in found

    nobody = expecting.replace("{dropped: inside}", '{refused: "external_id: the record has no who"}')
    workshop.write("examples/looks.yaml", nobody.replace("who: ada", "who: null"))
    assert run(workshop).exit_code == 0


def test_a_record_that_does_not_fit_the_schema_is_named_with_its_line(workshop: Workshop) -> None:
    changed = EXAMPLES.replace("page: /hats, at", "pge: /hats, at")

    (found,) = differences(workshop, changed)

    assert found.startswith(
        f"looks.yaml:{line_of(changed, 'pge: /hats')}: a-look.record.payload.Looked.pge: "
    )
    assert found.endswith("did you mean page?")


def test_without_a_schema_the_record_is_taken_as_it_stands(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE.replace("    schema: visit\n", "    on_gap: stop\n"))

    assert run(workshop).exit_code == 0


def test_mistakes_in_examples_end_with_exit_code_2(workshop: Workshop) -> None:
    workshop.write("examples/looks.yaml", EXAMPLES.replace("record:", "recrd:"))
    refused = run(workshop).exception
    assert isinstance(refused, ConfigurationError)
    assert any("examples.a-look.recrd: unknown key; did you mean record?" in one for one in refused.findings)

    workshop.write("examples/looks.yaml", EXAMPLES)
    workshop.write("examples/more.yaml", EXAMPLES)
    twice = run(workshop).exception
    assert isinstance(twice, ConfigurationError)
    assert "is there twice, first at" in str(twice)

    for file in ("looks", "more"):
        (workshop.folder / "examples" / f"{file}.yaml").unlink()
    assert "holds no *.yaml file with examples" in str(run(workshop).exception)


def test_a_broken_topology_is_told_before_its_examples(workshop: Workshop) -> None:
    workshop.change("to: stats", "to: stat")

    assert "there is no destination stat" in str(run(workshop).exception)


def test_a_path_that_depends_on_the_record_is_the_requests_own() -> None:
    result = CliRunner().invoke(command, ["--output", "json"], env={"TOPOLOGY": None})
    captured = (topology_dir() / "examples" / "capture.yaml").read_text("utf-8")

    assert result.exit_code == 0
    assert "path: /api/v1/analytics/capture/fifa-cwc-2025" in captured
