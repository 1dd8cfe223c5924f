"""Where a thread is, by the names of its functions: no line of its data."""

import sys
import threading

_MOST = 12


def functions_of(thread_id: int | None) -> str:
    """`module:function:line > …`, the innermost last and the outermost left out; empty where the thread is gone."""
    frame = sys._current_frames().get(thread_id) if thread_id is not None else None
    names: list[str] = []
    while frame is not None and len(names) < _MOST:
        code = frame.f_code
        names.append(f"{frame.f_globals.get('__name__', '?')}:{code.co_qualname}:{frame.f_lineno}")
        frame = frame.f_back
    return " > ".join(reversed(names))


def thread_named(name: str) -> int | None:
    """The id of the thread of this name, if one runs."""
    return next((one.ident for one in threading.enumerate() if one.name == name), None)
