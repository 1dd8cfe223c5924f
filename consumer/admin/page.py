"""The status page: one file without external assets, which asks /status every other second."""

import base64
import hashlib
import re
from importlib.resources import files


class Page:
    """The page's bytes, and a policy that lets the browser run its own script and style and nothing else.

    Names in the document come from a topology and from topics: even if one slipped through as markup, it
    could neither run nor send anything.
    """

    def __init__(self) -> None:
        """Reads the file; blocks shortly."""
        text = files("consumer.admin").joinpath("page.html").read_text(encoding="utf-8")
        self.body = text.encode()
        self.policy = "; ".join(
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


def _hash_of(text: str, element: str) -> str:
    match = re.search(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
    if match is None:
        raise ValueError(f"the status page has no <{element}>")
    digest = hashlib.sha256(match.group(1).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
