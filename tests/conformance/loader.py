"""Reads the files of cases."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import yaml

from tests.conformance.case import CaseFile, Variant

FOLDER = Path(__file__).parent / "cases"


def case_files() -> list[CaseFile]:
    """All files; an unknown key is an error."""
    return [
        msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), CaseFile)
        for path in sorted(FOLDER.glob("*.yaml"))
    ]


def variants() -> Iterator[Variant]:
    """Every case once for each set of its placeholders."""
    for file in case_files():
        for case in file.cases:
            for number, placeholders in enumerate(case.each or [{}], 1):
                suffix = f"-{number}" if len(case.each) > 1 else ""
                name = f"{file.api}:{case.name}{suffix}"
                yield Variant(file.api, file.rows[case.row], case, placeholders, name)
