"""The page that shows traffic live: one file without external assets."""

import base64
import hashlib
import re
from importlib.resources import files

from consumer.sandbox.simulator.answer import Answer


def page() -> Answer:
    """Reads the file; blocks shortly.

    Its policy lets the browser run the page's own script and style and nothing else: names and paths come
    from whoever sends, and could neither run nor fetch anything even if one slipped through as markup.
    """
    text = files("consumer.sandbox.simulator").joinpath("page.html").read_text(encoding="utf-8")
    policy = "; ".join(
        (
            "default-src 'none'",
            "connect-src 'self'",
            "img-src data:",
            f"style-src {_hash_of(text, 'style')}",
            f"script-src {_hash_of(text, 'script')}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    return Answer.html(200, text, (b"content-security-policy", policy.encode()))


def _hash_of(text: str, element: str) -> str:
    match = re.search(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
    if match is None:
        raise ValueError(f"the simulator's page has no <{element}>")
    digest = hashlib.sha256(match.group(1).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
