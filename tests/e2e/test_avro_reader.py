"""Which Avro reader runs: said at the start, and chosen by a setting."""

import json
from pathlib import Path

import pytest

from tests.e2e.command import Running
from tests.e2e.test_mistakes import COMPLETE

_INSTALLED = """
import sys, types
parts = {{"Reader": None, "Mapper": None}}
sys.modules["distinct_consumer_native"] = types.SimpleNamespace(INTERFACE={}, __version__="7.7.7", **parts)
"""


@pytest.mark.parametrize(
    ("prelude", "setting", "reader", "warned"),
    [
        (_INSTALLED.format(3), "auto", "native 7.7.7", False),
        (_INSTALLED.format(3), "python", "python", False),
        (_INSTALLED.format(2), "auto", "python", True),
    ],
    ids=["installed", "turned off", "of another release"],
)
def test_the_start_says_which_reader_runs_and_one_that_does_not_fit_is_named_once(
    nobody: str, tmp_path: Path, prelude: str, setting: str, reader: str, warned: bool
) -> None:
    settings = {**COMPLETE, "KAFKA_BOOTSTRAP_SERVERS": nobody, "CONSUMER_AVRO_READER": setting}
    with Running(("run",), tmp_path, settings, prelude=prelude) as running:
        said = json.loads(running.wait_for('"started"'))
        assert running.stop() == 0, running.stderr

    assert said["avro_reader"] == reader
    assert running.stderr.count("the native reader 7.7.7 is for another release") == warned
