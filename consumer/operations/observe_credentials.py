"""Whether each destination's key is accepted, tried by a request that stores nothing."""

from collections.abc import Callable, Mapping

from consumer.clock import Clock
from consumer.endpoints.catalogue import APIS
from consumer.endpoints.empty_request import EmptyRequest, NoEmptyRequest, empty_request
from consumer.endpoints.endpoint import Operation
from consumer.endpoints.outcome import Delivered, Halted, Late, Outcome, Rejected, Retry, Unclear
from consumer.endpoints.transport import outcome_of
from consumer.http.sender import Answer, Sender, SenderPolicy
from consumer.http.urls import BaseUrl, UrlProblem, parse_base_url
from consumer.operations.observation import Observation, State
from consumer.topology.credential import CredentialProblem, resolve
from consumer.topology.plan import Destination


async def observe_credential(
    destination: Destination,
    environment: Mapping[str, str],
    make_sender: Callable[[SenderPolicy], Sender],
    clock: Clock,
) -> Observation:
    """Try one destination's key. Waits for its time-out at most, and raises nothing for what the receiver does."""

    def seen(state: State, text: str) -> Observation:
        return Observation("credential", destination.name, state, text)

    credential = resolve(destination.credential.reference, environment)
    if isinstance(credential, CredentialProblem):
        return seen("failed", str(credential))
    # Whether plain http is allowed was decided when the topology was loaded.
    base_url = parse_base_url(destination.base_url, allow_plain_http=True)
    if isinstance(base_url, UrlProblem):
        return seen("failed", f"{destination.base_url} is not set")
    request = empty_request(destination.api)
    if isinstance(request, NoEmptyRequest):
        return seen("untested", f"cannot be tried without creating data: {request.reason}")
    operation = APIS[destination.api][request.operation].build(clock, {})
    sender = make_sender(
        SenderPolicy(
            connect_timeout_s=destination.timeouts.connect_s,
            total_timeout_s=destination.timeouts.total_s,
            ca_file=destination.ca_file,
        )
    )
    try:
        outcome = await _try(sender, base_url, operation, request, credential.read())
    finally:
        await sender.close()
    return seen(*_verdict(outcome, request))


async def _try(
    sender: Sender, base_url: BaseUrl, operation: Operation, request: EmptyRequest, credential: str
) -> Outcome:
    url = base_url.join(operation.path)
    answer = await sender.post(url, operation.headers(credential), request.body)
    if isinstance(answer, Answer):
        return operation.classify(answer)
    return outcome_of(answer, base_url.address)


def _verdict(outcome: Outcome, request: EmptyRequest) -> tuple[State, str]:
    match outcome:
        case Rejected() if request.doubt:
            return "ok", f"not refused, which is no proof: {request.doubt}"
        case Rejected():
            return "ok", "accepted"
        case Halted(reason):
            return "failed", reason
        case Delivered():
            return (
                "warning",
                "the receiver acknowledged a request that holds nothing: is it what base_url should name?",
            )
        case Retry(reason) | Unclear(reason):
            return "warning", f"no clear answer: {reason}"
        case Late():
            return "warning", "nothing was sent in time"
