"""A destination's base URL: what the environment says, filled in and checked."""

import re
from collections.abc import Mapping

import msgspec

from consumer.http.urls import UrlProblem, parse_base_url

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}")


class BaseUrlProblem(msgspec.Struct, frozen=True):
    """Why there is no base URL. `unset`: it is only that the environment does not say."""

    text: str
    unset: bool = False


def resolve_base_url(
    text: str, environment: Mapping[str, str], *, allow_plain_http: bool
) -> str | BaseUrlProblem:
    """Fill in each `${NAME}` and `${NAME:-default}` (empty counts as not set), and check the whole."""
    unset = [name for name, default in _REFERENCE.findall(text) if not (environment.get(name) or default)]
    if unset:
        return BaseUrlProblem(f"{unset[0]} is not set: set it, or write ${{{unset[0]}:-default}}", unset=True)
    filled = _REFERENCE.sub(lambda match: environment.get(match[1]) or match[2], text)
    if "${" in filled:
        return BaseUrlProblem("holds a ${ that is neither ${NAME} nor ${NAME:-default}")
    match parse_base_url(filled, allow_plain_http=allow_plain_http):
        case UrlProblem(problem):
            source = (
                f" ({', '.join(match[1] for match in _REFERENCE.finditer(text))})" if filled != text else ""
            )
            return BaseUrlProblem(f"the URL{source} {problem}")
        case url:
            return str(url)
