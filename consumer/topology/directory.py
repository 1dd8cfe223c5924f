"""The files of a topology, merged: teams may keep their routes apart, and a name stands once in all files."""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

from consumer.settings.document import Document, Finding, Place, read_document

SECTIONS = ("topics", "destinations", "routes")


def read_directory(directory: Path) -> Document:
    """All `*.yaml` files of a directory as one document. Blocks on the files; raises nothing."""
    findings: list[Finding] = []
    merged = Document({}, {(): Place(str(directory), 0)}, findings)
    if not directory.is_dir():
        findings.append(Finding(Place(str(directory), 0), "", "there is no such directory of topology files"))
        return merged
    entries = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    # Left out silently, a file with the other ending would be half a topology.
    findings.extend(
        Finding(Place(str(path), 0), "", f"would not be read: name it {path.stem}.yaml")
        for path in entries
        if path.suffix == ".yml"
    )
    files = [path for path in entries if path.suffix == ".yaml"]
    if not files:
        findings.append(Finding(Place(str(directory), 0), "", "holds no *.yaml file"))
    for file in files:
        _merge(read_document(file), merged)
    return merged


def version_of(document: Document) -> str:
    """12 hex digits of a digest of what the files say: layout, comments and the split do not count."""
    content = json.dumps(document.values, sort_keys=True, ensure_ascii=True).encode()
    return blake2b(content, digest_size=6).hexdigest()


def _merge(part: Document, merged: Document) -> None:
    refused = set()
    merged.findings.extend(part.findings)
    for section, names in part.values.items():
        if section not in SECTIONS:
            merged.values.setdefault(section, names)  # for the model to refuse
        elif not isinstance(names, dict):
            merged.findings.append(Finding(part.places[section,], section, "must be a mapping of names"))
            merged.values.setdefault(section, {})
        else:
            refused |= _merge_section(section, names, part, merged)
    for at, place in part.places.items():
        if at[:2] not in refused:
            merged.places.setdefault(at, place)


def _merge_section(
    section: str, names: dict[str, Any], part: Document, merged: Document
) -> set[tuple[str | int, ...]]:
    known = merged.values.setdefault(section, {})
    refused: set[tuple[str | int, ...]] = set()
    for name, value in names.items():
        if name in known:
            refused.add((section, name))
            source, line = merged.places[section, name]
            text = f"is defined twice, first at {source}:{line}"
            merged.findings.append(Finding(part.places[section, name], f"{section}.{name}", text))
        else:
            known[name] = value
    return refused


def names_of(document: Document, section: str) -> dict[str, Any]:
    """What a section defines, whatever else is wrong with it."""
    names = document.values.get(section)
    return names if isinstance(names, dict) else {}
