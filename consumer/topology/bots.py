"""Which user agents are no person's: the list of the package `crawler-user-agents`, and what opens mail by itself.

The list has crawlers, prefetchers, link previews and the scanners that give their names. Beside it stands what
comes to a mail's images only; what the list has, and a person causes, is taken out.
"""

import re
from functools import lru_cache

import crawleruseragents

LONGEST = 512
"""Only so many characters are judged: a record must not choose how long the search takes."""

_MAIL_PROXY = re.compile(r"GoogleImageProxy|YahooMailProxy")
"""They fetch an image when a person opens the mail: to call them bots would lose most mailboxes' opens."""

_APPLE_PRIVACY_PROXY = "Mozilla/5.0"
"""All that Apple's Mail Privacy Protection says of itself. It fetches every image of every mail, read or not; no
browser stops after these words."""

_MAIL_SCANNER = re.compile(r"barracuda|mimecast|proofpoint|trend ?micro|messagelabs|forcepoint|fireeye", re.I)
"""Gateways that open a mail before its reader does, where they give their names; most pose as browsers."""


@lru_cache(maxsize=16_384)
def is_bot(user_agent: str) -> bool:
    """Whether this is a known machine's user agent. Slow (0.2 ms) for one not seen lately, else fast."""
    if _MAIL_PROXY.search(user_agent) is not None:
        return False
    return (
        user_agent.strip() == _APPLE_PRIVACY_PROXY
        or _MAIL_SCANNER.search(user_agent) is not None
        or bool(crawleruseragents.is_crawler(user_agent))
    )
