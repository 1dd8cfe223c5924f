"""Expressions in CEL (https://cel.dev), for what paths and conditions cannot say: compiled once, and bounded.

CEL has no loops of its own and no side effects, so an expression always ends; what it takes depends on its text and on
what it is handed. Both are bounded here: the text in length, its macros (`map`, `filter`, `all`, `exists`) in nesting,
what they run over in members and characters. Beyond the bounds a record is a mapping error, not a wait.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from consumer.settings.mistakes import nearest
from consumer.topology.template import text_of

if TYPE_CHECKING:
    # Else only where there is an expression: the library brings a command line with it, which costs every start a tenth
    # of a second and every process ten megabytes.
    import cel

MAX_CHARS = 1_000
"""Of an expression's text."""

MAX_MEMBERS = 256
"""Of all lists and maps that one evaluation is handed. A macro takes quadratic time: over so many, milliseconds."""

MAX_TEXT_CHARS = 8_192
"""Of all texts that one evaluation is handed."""

MAX_DEPTH = 16
"""Of what is handed in: the library recurses on the C stack."""

_STANDARD_NAMES = """
    size contains startsWith endsWith matches int uint double string bytes timestamp duration type dyn
    getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds
"""
_EXTENSION_NAMES = """
    bool min max sum charAt indexOf lastIndexOf substring replace split join lowerAscii upperAscii trim
    math.abs math.ceil math.floor math.greatest math.least math.round math.sign math.trunc
"""
_STANDARD = frozenset(_STANDARD_NAMES.split())
_EXTENSIONS = frozenset(_EXTENSION_NAMES.split())
"""Of the usual extension libraries, what takes time and room in proportion to what it is handed."""

_MACRO = re.compile(r"\.(all|exists|exists_one|existsOne|map|filter)\(\s*([A-Za-z_]\w*)\s*,")
_TEXT = re.compile(r"""[rRbB]*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_SYNTAX = re.compile(r"<input>:(\d+):(\d+): Syntax error: ([^\n]*)")
_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (ZeroDivisionError, "division by zero"),
    (OverflowError, "a number is out of range"),
    (KeyError, "a field that it asks for is not there"),
    (IndexError, "an index is out of bounds"),
    (TypeError, "the types do not fit: CEL converts nothing by itself"),
    (ValueError, "a value can't be converted"),
)


class Failure(NamedTuple):
    """Why there is no value; holds none itself."""

    reason: str


TOO_LARGE = Failure("is handed more than an expression may read")

Program = Callable[[dict[str, Any]], Any]
"""From the values by their names to the result, or a Failure. Never raises for values."""


class _TooLarge(Exception):
    """More than an evaluation may be handed."""


def fault_of_program(source: str, names: Mapping[str, Any]) -> str | None:
    """What is wrong with an expression that is handed values of these names; None where nothing is."""
    if len(source) > MAX_CHARS:
        return f"is longer than {MAX_CHARS} characters"
    bare = _TEXT.sub("''", source)
    if _is_nested(bare):
        return "has a macro inside of another one, which could take too long: split it"
    import cel

    try:
        program = cel.compile(source)
    except ValueError as error:
        return _syntax(str(error))
    variables, functions = set(program.variables()), program.functions()
    known = _STANDARD | _EXTENSIONS
    for function in functions:
        if function[0].isalpha() and function not in known and not _is_math(function, variables):
            words = known | {name.removeprefix("math.") for name in known}
            return f"there is no function {function}" + nearest(function, words)
    bound = {match[2] for match in _MACRO.finditer(bare)}
    unknown = sorted(variables - names.keys() - bound - {"math"})
    if unknown:
        return f"{unknown[0]} is not among the values of with" + nearest(unknown[0], names)
    unused = sorted(names.keys() - variables)
    return f"does not use {unused[0]}, which with hands in" if unused else None


def compile_program(source: str) -> Program:
    """Compile a sound expression."""
    import cel

    program = cel.compile(source)
    context = _context(program)

    def run(values: dict[str, Any]) -> Any:
        try:
            context.update(values if _are_small(values) else _bounded(values))
            return program.execute(context)
        except _TooLarge:
            return TOO_LARGE
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of the library is no Exception
            return Failure(next((text for kind, text in _REASONS if isinstance(error, kind)), "it fails"))

    return run


def _are_small(values: dict[str, Any]) -> bool:
    """Whether all of these are scalars that need no second look: so it usually is."""
    for value in values.values():
        if value.__class__ not in _PLAIN or (value.__class__ is str and len(value) > 256):
            return False
    return len(values) <= 32


def _context(program: "cel.Program") -> "cel.Context":
    """With those of the extensions that the expression uses: each costs time at every evaluation."""
    import cel
    from cel import stdlib

    every = cel.Context()
    stdlib.add_stdlib_to_context(every)
    used = set(program.functions())
    found = {
        name: function
        for name, function in every.functions.items()
        if name in _EXTENSIONS and name.removeprefix("math.") in used
    }
    return cel.Context(functions=found)


def _bounded(values: dict[str, Any]) -> dict[str, Any]:
    members, chars = 0, 0

    def fit(value: Any, depth: int) -> Any:
        nonlocal members, chars
        kind = value.__class__
        if kind is tuple:  # a record inside of a union: (full name, record)
            value = value[1]
            kind = value.__class__
        if kind is dict or kind is list:
            members += len(value)
            if members > MAX_MEMBERS or depth == MAX_DEPTH:
                raise _TooLarge
            if kind is list:
                return [fit(member, depth + 1) for member in value]
            return {key: fit(member, depth + 1) for key, member in value.items()}
        if kind is str or kind is bytes:
            chars += len(value)
            if chars > MAX_TEXT_CHARS:
                raise _TooLarge
            return value
        if kind in _PLAIN or (kind is datetime and value.tzinfo is not None):
            return value
        return text_of(value)  # What CEL has no type for: decimals, dates, UUIDs.

    return {name: fit(value, 0) for name, value in values.items()}


def _is_nested(bare: str) -> bool:
    """Whether a macro stands in the brackets of another. `bare`: without the contents of texts."""
    begins = {match.end(1) for match in _MACRO.finditer(bare)}
    opened: list[bool] = []
    for place, char in enumerate(bare):
        if char == "(":
            macro = place in begins
            if macro and any(opened):
                return True
            opened.append(macro)
        elif char == ")" and opened:
            opened.pop()
    return False


def _is_math(function: str, variables: set[str]) -> bool:
    return "math" in variables and f"math.{function}" in _EXTENSIONS


def _syntax(text: str) -> str:
    found = _SYNTAX.search(text)
    if found is None or "Recursion limit" in text:
        return "is no CEL expression, or one that is nested too deep"
    return f"is no CEL at character {found[2]}: {found[3].partition(' expecting ')[0]}"
