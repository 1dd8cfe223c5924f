"""The HTTP session of the span exporter, bounded."""

from typing import Any

import requests


def session_without_bodies() -> requests.Session:
    """A session that reads no answer beyond its head.

    The exporter looks at status and headers only, but its own session reads a body of any size, for as long as a
    byte comes now and then: a hostile collector, or a proxy's endless page, would fill the process's memory. An
    answer that is not read costs its connection, one every few seconds.
    """
    session = requests.Session()
    session.stream = True
    session.hooks["response"].append(_hang_up)
    return session


def _hang_up(response: requests.Response, *_: Any, **__: Any) -> None:
    response.close()
