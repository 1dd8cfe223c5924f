"""Example records with the requests expected of them: `examples/*.yaml` beside a topology's files."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field, ValidationError, model_validator

from consumer.errors import ConfigurationError
from consumer.settings.document import Document, Finding, Place, read_document
from consumer.settings.mistakes import Strict, findings_of

FOLDER = "examples"


class ExpectationModel(Strict):
    """What one route is to make of the record."""

    body: Any = None
    """The request's whole body, as JSON has it."""
    path: str | None = None
    """Of the request's URL, behind the base URL."""
    dropped: str | None = None
    """By the route's own `drop`, for this reason."""
    refused: str | None = None
    """A dead letter, for this reason: `field: reason`, or the reason where it is no field's."""

    @model_validator(mode="after")
    def _one_end(self) -> "ExpectationModel":
        if len(self.model_fields_set - {"path"}) != 1:
            raise ValueError("needs exactly one of body, dropped and refused")
        if self.path is not None and "body" not in self.model_fields_set:
            raise ValueError("path goes with body: only a request has one")
        return self


class ExampleModel(Strict):
    """One record, and the answers of all routes that take it."""

    topic: str | None = None
    """Where it comes from. Needless where the topology has one topic."""
    key: str | None = None
    """The record's key."""
    record: Annotated[dict[str, Any], Field(min_length=1)]
    """As JSON has it; a record in a union of several is `{Name: {…}}`."""
    expect: dict[str, ExpectationModel]
    """By route. A route that is not named here must not take the record."""


class ExamplesModel(Strict):
    """One file."""

    examples: Annotated[dict[str, ExampleModel], Field(min_length=1)]


class Example(NamedTuple):
    """One example, with the file it stands in."""

    name: str
    model: ExampleModel
    document: Document


def read_examples(directory: Path) -> list[Example]:
    """All examples beside a topology, in the order of files. Blocks on them.

    Raises ConfigurationError with every mistake in their form.
    """
    folder = directory / FOLDER
    findings: list[Finding] = []
    found: dict[str, Example] = {}
    for file in sorted(folder.glob("*.y*ml")) if folder.is_dir() else []:
        document = read_document(file)
        findings += document.findings
        if document.findings:
            continue
        try:
            model = ExamplesModel.model_validate(document.values)
        except ValidationError as error:
            findings += findings_of(error, ExamplesModel, document, {})
            continue
        for name, example in model.examples.items():
            place = document.places["examples", name]
            if name in found:
                first = found[name].document.places["examples", name]
                text = f"is there twice, first at {first.source}:{first.line}"
                findings.append(Finding(place, f"examples.{name}", text))
            found.setdefault(name, Example(name, example, document))
    if not found and not findings:
        findings.append(Finding(Place(str(folder), 0), "", "holds no *.yaml file with examples"))
    if findings:
        raise ConfigurationError([str(finding) for finding in sorted(findings)])
    return list(found.values())
