"""What tests send and how they look at what comes back."""

from consumer.http.sender import Answer, Failure, FailureKind

# Each of the three places of a request that can hold a secret has one, and no failure may repeat any.
SECRET = "s3cr3t"
PATH = f"/v1/events?token={SECRET}"
HEADERS = {"content-type": "application/json", "x-api-key": SECRET}
BODY = f'{{"email": "{SECRET}@example.com"}}'.encode()


def answer_of(result: Answer | Failure) -> Answer:
    assert isinstance(result, Answer), result
    return result


def failure_of(result: Answer | Failure, *kinds: FailureKind, sent: bool) -> Failure:
    assert isinstance(result, Failure), result
    assert result.kind in kinds, result
    assert result.sent is sent, result
    assert result.reason
    assert SECRET not in result.reason
    return result
