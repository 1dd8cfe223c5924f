"""A destination built from its model: operations, credential and URL found, durations in seconds."""

from collections.abc import Mapping
from typing import NamedTuple

from consumer.clock import Clock
from consumer.endpoints.catalogue import Entry
from consumer.endpoints.endpoint import Operation
from consumer.errors import ConfigurationError
from consumer.settings.document import Location
from consumer.settings.mistakes import nearest
from consumer.topology.base_url import BaseUrlProblem, resolve_base_url
from consumer.topology.credential import (
    CredentialProblem,
    CredentialSource,
    UnresolvedCredential,
    is_reference,
    resolve,
)
from consumer.topology.model import DestinationModel
from consumer.topology.plan import Batch, Destination, RetryPolicy, Timeouts

Catalogue = Mapping[str, Mapping[str, Entry]]
"""API → operation → entry."""


class Surroundings(NamedTuple):
    """What a topology is loaded with beside its files.

    resolve: follow references to the environment and to files; without, they may lead nowhere, and nothing
    can be sent.
    """

    environment: Mapping[str, str]
    catalogue: Catalogue
    clock: Clock
    resolve: bool
    allow_plain_http: bool


class Built(NamedTuple):
    """What could be built of a destination, and what could not."""

    operations: dict[str, Operation]
    destination: Destination | None
    mistakes: list[tuple[Location, str]]


def build_destination(name: str, model: DestinationModel, around: Surroundings) -> Built:
    """Build what can be built, and say what is wrong with the rest. May look at the credential's file."""
    mistakes: list[tuple[Location, str]] = []
    operations = _operations(model, around, mistakes)
    credential = _credential(model, around, mistakes)
    base_url = _base_url(model, around, mistakes)
    if model.timeouts.connect > model.timeouts.total or model.timeouts.connect == 0:
        mistakes.append((("timeouts", "connect"), "must be more than nothing and at most the total"))
    if model.retry.base_delay > model.retry.max_delay:
        mistakes.append((("retry", "base_delay"), "must be at most max_delay"))
    if mistakes or credential is None or base_url is None:
        return Built(operations, None, mistakes)
    return Built(operations, _destination(name, model, operations, credential, base_url), [])


def _operations(
    model: DestinationModel, around: Surroundings, mistakes: list[tuple[Location, str]]
) -> dict[str, Operation]:
    entries = around.catalogue.get(model.api)
    if entries is None:
        mistakes.append((("api",), f"there is no API {model.api}" + nearest(model.api, around.catalogue)))
        return {}
    for name in model.operations.keys() - entries.keys():
        mistakes.append((("operations", name), f"{model.api} has no such operation" + nearest(name, entries)))
    operations: dict[str, Operation] = {}
    for name, entry in entries.items():
        options = model.operations.get(name, {})
        unknown = [option for option in options if option not in entry.option_names]
        for option in unknown:
            mistakes.append(
                (("operations", name, option), "unknown key" + nearest(option, entry.option_names))
            )
        known = {option: value for option, value in options.items() if option not in unknown}
        try:
            operations[name] = entry.build(around.clock, known)
        except ConfigurationError as error:
            mistakes.append((("operations", name), str(error)))
            operations[name] = entry.build(around.clock, {})  # So that its routes are looked at all the same.
    return operations


def _credential(
    model: DestinationModel, around: Surroundings, mistakes: list[tuple[Location, str]]
) -> CredentialSource | None:
    at: Location = ("credential",)
    if not is_reference(model.credential):
        # What stands there may be the key itself: it is not repeated.
        mistakes.append((at, "must be env:NAME or file:/path: a key itself does not belong into a topology"))
        return None
    if not around.resolve:
        return UnresolvedCredential(model.credential)
    match resolve(model.credential, around.environment):
        case CredentialProblem() as problem:
            mistakes.append((at, str(problem)))
            return None
        case source:
            return source


def _base_url(
    model: DestinationModel, around: Surroundings, mistakes: list[tuple[Location, str]]
) -> str | None:
    match resolve_base_url(model.base_url, around.environment, allow_plain_http=around.allow_plain_http):
        case BaseUrlProblem(_, unset=True) if not around.resolve:
            return model.base_url
        case BaseUrlProblem(text):
            mistakes.append((("base_url",), text))
            return None
        case url:
            return url


def _destination(
    name: str,
    model: DestinationModel,
    operations: Mapping[str, Operation],
    credential: CredentialSource,
    base_url: str,
) -> Destination:
    batch, retry = model.batch, model.retry
    return Destination(
        name=name,
        account=model.account or name,
        api=model.api,
        base_url=base_url,
        credential=credential,
        ca_file=model.ca_file,
        timeouts=Timeouts(model.timeouts.connect / 1000, model.timeouts.total / 1000),
        concurrency=model.concurrency,
        adaptive=model.adaptive,
        rate_per_s=model.rate_per_s,
        batch=Batch(
            batch.max_items or max(operation.max_items for operation in operations.values()),
            batch.max_bytes or max(operation.max_body_bytes for operation in operations.values()),
            batch.linger / 1000,
        ),
        retry=RetryPolicy(
            retry.base_delay / 1000,
            retry.max_delay / 1000,
            retry.unclear_votes,
            retry.unknown_user_attempts,
            retry.unknown_user_delay / 1000,
        ),
        paused=model.paused,
        max_refusal_ratio=model.max_refusal_ratio,
        breaker_after=model.breaker_after,
    )
