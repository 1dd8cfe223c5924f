"""Stack traces without the values that Python's own messages quote."""

import traceback

LEFT_OUT = "(left out: it may quote data)"


def message_of(error: BaseException) -> str:
    """What the error says, unless it is of a kind that quotes what it was given.

    A KeyError is nothing but a key, and a ValueError names what it could not read: both may be a user's.
    """
    return LEFT_OUT if isinstance(error, LookupError | ValueError) else str(error)


def stack_of(error: BaseException) -> str:
    """Its trace after those of its causes: as Python prints them, but for such messages."""
    parts: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        parts.append(_one(cause))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n\nwhich led to:\n\n".join(reversed(parts))


def _one(error: BaseException) -> str:
    lines = ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]
    lines.append(f"{type(error).__name__}: {message_of(error)}")
    if isinstance(error, BaseExceptionGroup):
        lines += [f"\n{stack_of(one)}" for one in error.exceptions]
    return "".join(lines)
