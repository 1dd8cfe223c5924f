"""One run of the consumer under the interpreter's own profiler: which functions take the time."""

import pstats
from io import StringIO

from bench.child import run
from bench.setting import Setting
from bench.sides import Ours
from bench.workload import Workload

_ROWS = 40


def profile(workload: Workload, topic: str, records: int, setting: Setting) -> str:
    """The functions with the most time of their own, of the event loop's thread alone. Blocks.

    The profiler makes small functions look dearer than they are.
    """
    file = setting.folder / f"{workload.name}.profile"
    side = Ours(("-m", "cProfile", "-o", str(file), "-m", "bench.ours"))
    setting.receiver.expect(records)
    cost = run(side.command(workload, topic, records, setting), lambda: False)
    side.check(cost.output, setting.receiver.report(), records, workload)
    out = StringIO()
    pstats.Stats(str(file), stream=out).strip_dirs().sort_stats("tottime").print_stats(_ROWS)
    return out.getvalue()
