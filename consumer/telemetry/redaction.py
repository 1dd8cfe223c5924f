"""Takes secrets and personal data out of text that is about to be logged."""

import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

MASK = "[redacted]"

# A shorter "secret" would mask ordinary words.
_MIN_SECRET_LENGTH = 6
_MAX_DEPTH = 6

_SECRET_NAME = re.compile(
    r"(?i)authorization|api[-_]?key|password|passwd|secret|token|credential|cookie|e-?mail|phone|msisdn"
)

_NAMES = r"(?:api[-_]?key|authorization|passw(?:or)?d|secret|access[-_]?token)"

_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # The name stays, so that a line still says what it was about. Unquoted text after a colon is masked
        # for headers only: elsewhere it is prose ("DISTINCT_API_KEY: must be set").
        (rf"({_NAMES}[\"']?\s*[:=]\s*b?)(?:\"[^\"\r\n]*\"|'[^'\r\n]*')", rf"\1{MASK}"),
        (rf"({_NAMES}=)[^\s,;&\"')}}\]]+", rf"\1{MASK}"),
        (r"\b(x-(?:[a-z]+-)?api-key|(?:proxy-)?authorization)(\s*:\s*)(?:[a-z]+\s+)?\S+", rf"\1\2{MASK}"),
        (r"\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}", rf"\1 {MASK}"),
        (r"\b(?:pk|sk)_[a-z0-9_-]{4,}", MASK),
        (r"\beyJ[a-z0-9_-]+\.[a-z0-9_-]+\.[a-z0-9_-]*", MASK),
        (r"(\b[a-z][a-z0-9+.-]{0,20}://)[^\s/@:]*:[^\s/@]*@", rf"\1{MASK}@"),
        # Only from the beginning of a word on: from each of its letters, a long one would take quadratic
        # time.
        (r"(?<![\w.%+'-])[\w.%+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+", MASK),
        # Telephone numbers: international ones with + or 00, and groups in the usual forms. Bare digits are
        # offsets, ids and times far more often.
        (r"(?<![\w.])(?:\+|00|%2B)\d(?:[\s().-]{0,2}\d){6,14}(?!\d)", MASK),
        (r"(?<![\w.-])\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}(?![\w-])", MASK),
    )
)


class Redactor:
    """Masks what looks like a secret or like personal data, and the secrets that it was told of.

    A net below the rule that neither is logged in the first place, not a licence to log them.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: tuple[str, ...] = ()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Know these values too: the credentials in use, also those of a rotated file."""
        known = {*self._secrets, *(secret for secret in secrets if len(secret) >= _MIN_SECRET_LENGTH)}
        # The longest first: one secret can be the beginning of another.
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def text(self, text: str) -> str:
        """The text with masks."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def value(self, value: Any, depth: int = 0) -> Any:
        """As `text`, for a value with others inside; bytes and what JSON does not know become text."""
        match value:
            case float() if not isfinite(value):
                return str(value)  # JSON has no word for it
            case None | bool() | int() | float():
                return value
            case str():
                return self.text(value)
            case bytes() | bytearray():
                return f"<{len(value)} bytes>"
        if depth >= _MAX_DEPTH:
            return "…"
        if isinstance(value, Mapping):
            return {self.text(str(name)): self._named(str(name), one, depth) for name, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(one, depth + 1) for one in value]
        return self.text(str(value))

    def field(self, name: str, value: Any) -> Any:
        """As `value`, for a named one: some names say that what follows is secret."""
        return self._named(name, value, 0)

    def _named(self, name: str, value: Any, depth: int) -> Any:
        if _SECRET_NAME.search(name) and not isinstance(value, bool | int | float | None):
            return MASK
        return self.value(value, depth + 1)
