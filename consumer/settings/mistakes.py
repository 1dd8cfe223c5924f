"""What a model found wrong in a document, in words that help: the key, its line, what to write instead."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from consumer.settings.document import Document, Finding, Location, Place


class Strict(BaseModel):
    """The base of every model of a file: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def nearest(word: str, choices: Iterable[str]) -> str:
    """`; did you mean X?`, or the choices where none is near, or nothing where there are none."""
    options = sorted(choices)
    close = get_close_matches(word.lower(), [option.lower() for option in options], n=1, cutoff=0.6)
    if close:
        return f"; did you mean {next(option for option in options if option.lower() == close[0])}?"
    if not options:
        return ""
    return f"; known here: {', '.join(options)}" if len(options) <= 20 else ""


def locate(document: Document, at: Location) -> tuple[Place, str]:
    """The nearest place that is written, and the key as people would name it."""
    known: Location = ()
    for part in at:
        # What is not in the file is a missing key; or pydantic's own word: `<branch>` of a union, `[key]`, or
        # the position of an only item that stands without brackets.
        if (*known, part) in document.places:
            known = (*known, part)
        elif isinstance(part, str) and not part.startswith(("<", "[")):
            return document.places.get(known, _NOWHERE), ".".join(map(str, (*known, part)))
    return document.places.get(known, _NOWHERE), ".".join(map(str, known))


_NOWHERE = Place("configuration", 0)


def findings_of(
    error: ValidationError,
    model: type[BaseModel],
    document: Document,
    branches: Mapping[str, type[BaseModel]],
) -> list[Finding]:
    """One finding for each thing that pydantic found.

    branches: the models of tagged unions by their tag, which is `<in angle brackets>`.
    """
    findings = []
    for detail in error.errors(include_url=False, include_context=True):
        at = tuple(detail["loc"])
        place, key = locate(document, at)
        if detail["type"] == "extra_forbidden":
            text = "unknown key" + nearest(str(at[-1]), _keys_at(model, at[:-1], branches))
        else:
            text = _describe(detail)
        findings.append(Finding(place, key, text))
    return findings


_TEXTS: dict[str, str] = {
    "missing": "is required",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
}

_LIMITS: dict[str, tuple[str, str]] = {
    "greater_than": ("must be more than {}", "gt"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than": ("must be less than {}", "lt"),
    "less_than_equal": ("must be at most {}", "le"),
    "too_short": ("must hold at least {}", "min_length"),
    "string_too_short": ("must have at least {} characters", "min_length"),
    "string_too_long": ("must have at most {} characters", "max_length"),
}


def _describe(detail: Any) -> str:
    kind = detail["type"]
    if kind in _TEXTS:
        return _TEXTS[kind]
    if kind in _LIMITS:
        text, name = _LIMITS[kind]
        limit = detail["ctx"][name]
        return text.format(f"{limit:g}" if isinstance(limit, float) else limit)
    if kind == "literal_error":
        expected = detail["ctx"]["expected"].replace("'", "")
        return f"must be {expected}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    return str(detail["msg"])


def _keys_at(model: type[BaseModel], at: Location, branches: Mapping[str, type[BaseModel]]) -> list[str]:
    """The keys that the model at a location knows, by walking the types of its fields."""
    kind: Any = model
    for part in at:
        if isinstance(part, str) and part in branches:
            kind = branches[part]
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = _bare(next(f.annotation for n, f in kind.model_fields.items() if part in (n, f.alias)))
        else:
            kind = _bare(get_args(kind)[-1])
    return [field.alias or name for name, field in kind.model_fields.items()]


def _bare(annotation: Any) -> Any:
    """Without `Annotated` and `| None`."""
    if hasattr(annotation, "__metadata__"):
        return _bare(get_args(annotation)[0])
    members = [member for member in get_args(annotation) if member is not type(None)]
    if len(members) == 1 and get_origin(annotation) not in (list, dict):
        return _bare(members[0])
    return annotation
