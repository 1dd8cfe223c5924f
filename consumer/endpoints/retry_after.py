"""When the receiver asks to be left alone: the Retry-After header (RFC 9110, section 10.2.3)."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_HTTP_DATE_CHARS = 40
"""The longest form of an HTTP date has 33; the header is the peer's, so what is parsed is bounded."""


def retry_after_s(value: str | None, now_s: float, cap_s: float) -> float | None:
    """Seconds to wait, from 0 to `cap_s`; None where the header is absent or says nothing usable.

    Takes seconds (also with a fraction, which some servers send) and all three forms of an HTTP date,
    measured against `now_s`, the wall clock in seconds since 1970. The cap keeps a peer, or a clock that was
    moved, from parking a destination for a year.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), cap_s)
    if len(text) > _HTTP_DATE_CHARS:
        return None
    try:
        date = parsedate_to_datetime(text)
        # The asctime form names no zone; the RFC says that it is UTC.
        at_s = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(at_s - now_s, 0.0), cap_s)
