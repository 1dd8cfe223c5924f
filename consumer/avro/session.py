"""The registry client's HTTP session, bounded."""

from time import monotonic
from typing import Any

from consumer.avro.policy import RegistryPolicy


class BoundedSession:
    """An HTTP session with a bound on an answer's size and time; it has what the registry client uses of one.

    The client's own reads an answer of any size for any time, as its time-out starts anew with each byte,
    and takes proxies and .netrc from the environment.
    """

    def __init__(self, rest: Any, policy: RegistryPolicy) -> None:
        """`rest`: the client's inner REST client, whose session this replaces."""
        kind = type(rest.session)  # whichever HTTP library the client found: only it knows
        rest.session.close()
        timeout_s = policy.timeout_s
        self._session = kind(verify=rest.verify, auth=rest.auth, timeout=timeout_s, trust_env=False)
        self._policy = policy

    def request(self, method: str, **arguments: Any) -> Any:
        """One request, its answer read whole. Blocks. Raises ValueError beyond a bound."""
        ends_s = monotonic() + self._policy.deadline_s
        body = bytearray()
        with self._session.stream(method, **arguments) as answer:
            for part in answer.iter_bytes():
                body += part
                if len(body) > self._policy.max_answer_bytes:
                    raise ValueError("the answer is too large")
                if monotonic() > ends_s:
                    raise ValueError("the answer took too long")
        # Anew, as a streamed answer can't be given its body; decoded, it no longer fits its headers.
        return type(answer)(answer.status_code, content=bytes(body))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
