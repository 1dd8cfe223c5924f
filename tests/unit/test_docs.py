"""The documents say what is there: links lead somewhere, named tests exist, snippets load, names are real."""

import ast
import re
import shlex
from functools import cache
from pathlib import Path

import click
import pytest

from consumer.cli.command import command
from consumer.clock import SystemClock
from consumer.core.books import Books, DestinationBooks
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.snapshot import DestinationState, PartitionLag, Snapshot
from consumer.topology.examples import FOLDER, read_examples
from consumer.topology.load import load_plan
from consumer.topology.trial import try_example
from consumer.types import TopicPartition
from consumer.workers.answers import WorkersMetrics
from consumer.workers.slot import Slot

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
TOPOLOGY = ROOT / "docs" / "topology.md"
APIS = sorted((ROOT / "docs" / "apis").glob("*.md"))

_FENCE = re.compile(r"^```(\w*)[ \t]*(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_TEST = re.compile(r"\b(tests/[\w/]+\.py)((?:::\w+)+)")
_METRIC = re.compile(r"\bdistinct_consumer_\w+")

ENVIRONMENT = {
    "SHOP_CLIENT_KEY": "pk_shop",
    "CLIENT_API_KEY": "pk_client",
    "SHOP_DISTINCT_KEY": "shared",
    "SHOP_EVENT_KEY": "event",
    "CLIENT_API_BASE_URL": "https://client.example.com",
}
"""What the example topologies refer to."""


def _prose(document: Path) -> str:
    return _FENCE.sub("", document.read_text("utf-8"))


def _links(document: Path) -> list[tuple[str, str]]:
    """Text and target of each link that stays inside of the project."""
    found = _LINK.findall(_prose(document))
    return [(text, target) for text, target in found if not target.startswith(("https://", "http://"))]


def _slug(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def _anchors(document: Path) -> set[str]:
    return {_slug(line.lstrip("#")) for line in _prose(document).splitlines() if line.startswith("#")}


@cache
def _tests_of(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def _name(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_relative_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    broken = []
    for _, target in _links(document):
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)

    assert not broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_test_that_is_named_exists(document: Path) -> None:
    named = [(ROOT / path, names.rpartition("::")[2]) for path, names in _TEST.findall(document.read_text())]
    for text, target in _links(document):
        if text.strip("`").startswith("test_"):
            named.append(((document.parent / target).resolve(), text.strip("`")))
    missing = [f"{file}::{test}" for file, test in named if not file.is_file() or test not in _tests_of(file)]

    assert not missing


def test_the_guarantees_name_tests() -> None:
    shown = [text for text, _ in _links(ROOT / "docs" / "guarantees.md") if text.startswith("`test_")]

    assert len(shown) > 30


def _topologies() -> dict[str, dict[str, str]]:
    """Topology → file → text, of the snippets that are named `topology/file`."""
    found: dict[str, dict[str, str]] = {}
    texts = [document.read_text("utf-8") for document in (TOPOLOGY, *APIS)]
    for language, name, text in (fence for page in texts for fence in _FENCE.findall(page)):
        if language in ("yaml", "json"):
            topology, _, file = name.partition("/")
            assert file, f"a {language} snippet that belongs to no topology is never loaded: {text[:60]}"
            assert file not in found.setdefault(topology, {}), f"{name} stands there twice"
            found[topology][file] = text
    return found


@pytest.mark.parametrize("name", _topologies())
def test_every_topology_of_the_page_loads(name: str, tmp_path: Path) -> None:
    for file, text in _topologies()[name].items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)

    plan = load_plan(tmp_path, ENVIRONMENT)

    assert plan.routes
    if (tmp_path / FOLDER).is_dir():
        tried = [try_example(example, plan, [tmp_path]) for example in read_examples(tmp_path)]
        assert [one.differences for one in tried] == [()] * len(tried)


def _commands() -> list[str]:
    """The command lines in the documents' shell snippets."""
    lines = [
        line
        for document in DOCUMENTS
        for language, _, text in _FENCE.findall(document.read_text("utf-8"))
        if language == "sh"
        for line in text.replace("\\\n", " ").splitlines()
    ]
    return sorted({line for line in lines if line.startswith("distinct-consumer ")})


@pytest.mark.parametrize("line", _commands())
def test_every_command_and_flag_of_the_pages_is_there(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    subcommand: click.Command = command
    while isinstance(subcommand, click.Group):
        subcommand = subcommand.commands[words.pop(0)]
    known = {option for param in subcommand.params for option in param.opts}

    unknown = [word for word in words if word.startswith("--") and word not in known]

    assert not unknown
    assert isinstance(subcommand, click.Command)


def test_every_metric_of_the_pages_is_there() -> None:
    metrics = Metrics()
    one = PartitionLag(partition=TopicPartition("t", 0), lag_records=1)
    books = Books(destinations={"d": DestinationBooks()})
    metrics.read_from(lambda: Snapshot(books=books, destinations={"d": DestinationState()}, partitions=[one]))
    text = metrics.render("text/plain")[1].decode()
    text += WorkersMetrics([Slot(1, SystemClock())]).render("text/plain")[1].decode()
    known = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)) | set(_METRIC.findall(text))

    named = {name for document in DOCUMENTS for name in _METRIC.findall(document.read_text("utf-8"))}

    assert named
    assert not named - known
