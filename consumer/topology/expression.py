"""The mapping language: where each field of an item comes from.

    email: user.email?                                   a path; ? where the value may be absent
    feature: {const: page_visit}                         always this
    name: {template: "{payload.feature}/{id}"}           text with paths in braces; {{ and }} are braces
    locale: {path: context.locale, default: en}          a path with what to send in its place
    cents: {cel: "int(total * 100.0)", with: {total: payload.total}}    computed, of what `with` names
    metadata: {object: {event_id: id, page: payload.url}}    fields again, nested

The six forms can't be mistaken for each other: text is a path, a mapping has one of five words as its key.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from consumer.settings.mistakes import Strict
from consumer.topology.cel_program import fault_of_program
from consumer.topology.paths import PathText
from consumer.topology.template import parse_template

Scalar = str | int | float | bool


def _not_null(value: Any) -> Any:
    if value is None:
        raise ValueError("null is never sent: leave the field out")
    return value


def _scalar(value: Any) -> Any:
    if not isinstance(value, Scalar):
        raise ValueError("must be text, a number, true or false")
    return value


def _template(text: str) -> str:
    parse_template(text)
    return text


ScalarValue = Annotated[
    Any, AfterValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
"""A plain value to compare with, or to send in the place of an absent one."""


class Constant(Strict):
    """Always the same value."""

    const: Annotated[Any, AfterValidator(_not_null)]


class Template(Strict):
    """Text with paths in braces."""

    template: Annotated[str, AfterValidator(_template)]


class Lookup(Strict):
    """A path in long form. With a default it is never absent."""

    path: PathText
    optional: bool = False
    default: ScalarValue = None

    @property
    def may_be_absent(self) -> bool:
        return (self.optional or self.path.endswith("?")) and self.default is None


class Computed(Strict):
    """An expression in CEL. It sees what `with` names, and nothing else of the record."""

    cel: Annotated[str, Field(min_length=1)]
    with_: Annotated[dict[str, PathText], Field(min_length=1)] = Field(alias="with")

    @model_validator(mode="after")
    def _compiles(self) -> "Computed":
        fault = fault_of_program(self.cel, self.with_)
        if fault is not None:
            raise ValueError(fault)
        return self


class ComputedField(Computed):
    """A field's value by an expression; null is an error unless it is optional."""

    optional: bool = False


class Nested(Strict):
    """An object of fields; one that ends up with none is left out."""

    object: Annotated[dict[str, "Expression"], Field(min_length=1)]


_WORDS = {
    "const": "<const>",
    "template": "<template>",
    "path": "<lookup>",
    "cel": "<cel>",
    "object": "<object>",
}


def _form(value: Any) -> str | None:
    if isinstance(value, str):
        return "<path>"
    if isinstance(value, dict):
        return next((tag for word, tag in _WORDS.items() if word in value), None)
    return None


Expression = Annotated[
    Annotated[PathText, Tag("<path>")]
    | Annotated[Constant, Tag("<const>")]
    | Annotated[Template, Tag("<template>")]
    | Annotated[Lookup, Tag("<lookup>")]
    | Annotated[ComputedField, Tag("<cel>")]
    | Annotated[Nested, Tag("<object>")],
    Discriminator(
        _form,
        custom_error_type="no_expression",
        custom_error_message="must be a path, or one of {const: …}, {template: …}, {path: …}, {cel: …}, {object: …}",
    ),
]
"""Where one field comes from."""

BRANCHES: dict[str, type[Strict]] = {
    "<const>": Constant,
    "<template>": Template,
    "<lookup>": Lookup,
    "<cel>": ComputedField,
    "<object>": Nested,
}
"""The models by their tags, for messages about unknown keys."""
