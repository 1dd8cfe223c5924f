"""The lines of source that read one value of a type that is not made of others.

`b` is the data and `i` the place in it; `n` and `j` are for at once. What else they name is in wire.py.
"""

from collections.abc import Iterable, Iterator

from consumer.avro.census import kind_of
from consumer.avro.guards import Parsed


def plain_lines(schema: Parsed, to: str) -> list[str]:
    """Lines that put a primitive or a fixed into `to`, whatever it means."""
    match kind_of(schema):
        case "null":
            return [f"{to} = None"]
        case "boolean":
            return [f"{to} = b[i] != 0", "i += 1"]
        case "int" | "long":
            return long_lines(to)
        case "float":
            return [f"{to} = read_float(b, i)[0]", "i += 4"]
        case "double":
            return [f"{to} = read_double(b, i)[0]", "i += 8"]
        case "bytes":
            return [*_size_lines(), f"{to} = b[i:j]", "i = j"]
        case "string":
            return string_lines(to)
        case _:  # fixed
            # Takes bytes without looking at one: an array of them would not end where the data does.
            ends = "if j > len(b): raise EOFError"
            return [f"j = i + {int(schema['size'])}", ends, f"{to} = b[i:j]", "i = j"]


def long_lines(to: str) -> list[str]:
    """Lines that put an int, long, index or count into `to`. One byte is the rule, and is looked up here."""
    return [
        f"{to} = b[i]",
        "i += 1",
        f"if {to} < 128: {to} = SMALL_LONGS[{to}]",
        f"else: {to}, i = long_from(b, i - 1)",
    ]


def string_lines(to: str) -> list[str]:
    """Lines that put a string into `to`."""
    return [*_size_lines(), f"{to} = b[i:j].decode()", "i = j"]


def indented(lines: Iterable[str], levels: int = 1) -> Iterator[str]:
    """The lines as a block inside of others."""
    return ("    " * levels + line for line in lines)


def _size_lines() -> list[str]:
    # Without a look at where the data ends: a string that is cut off is shorter, and leaves `i` beyond the end.
    return ["n = SMALL_SIZES[b[i]]", "i += 1", "if n < 0: n, i = size_from(b, i - 1)", "j = i + n"]
