"""Which user agents are bots: the list of the package `crawler-user-agents`, less what a person causes."""

import re
from functools import lru_cache

import crawleruseragents

LONGEST = 512
"""Only so many characters are judged: a record must not choose how long the search takes."""

_MAIL_PROXY = re.compile(r"GoogleImageProxy|YahooMailProxy")
"""They fetch an image when a person opens the mail: to call them bots would lose most mailboxes' opens."""


@lru_cache(maxsize=16_384)
def is_bot(user_agent: str) -> bool:
    """Whether this is a known crawler's user agent. Slow (0.2 ms) for one not seen lately, else fast."""
    return _MAIL_PROXY.search(user_agent) is None and bool(crawleruseragents.is_crawler(user_agent))
