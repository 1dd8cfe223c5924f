"""How long the consumer takes from its start until it is ready."""

import http.client
import json
import time

from bench.long.delivery import Case, start
from bench.setting import Setting
from consumer.errors import FaultError
from tests.integration.processes import ConsumerProcess

_LOOK_S = 0.01
_LONGEST_S = 120.0


def ready_after_s(case: Case, setting: Setting) -> float:
    """From the start of the process, with the interpreter's own, to the first 200 of /ready. Blocks."""
    began_s = time.monotonic()
    consumer = start(case, [], setting)
    try:
        while not _ready(consumer):
            if not consumer.running or time.monotonic() - began_s > _LONGEST_S:
                raise FaultError(f"{case.name} did not become ready{consumer.tail()}")
            time.sleep(_LOOK_S)
        took_s = time.monotonic() - began_s
        consumer.stop()
    finally:
        consumer.close()
    return took_s


def _ready(consumer: ConsumerProcess) -> bool:
    line = next((line for line in consumer.stderr.splitlines(keepends=True) if '"admin"' in line), "")
    if not line.endswith("\n"):
        return False
    host, _, port = json.loads(line)["admin"].rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5.0)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
