"""The API that is asked, not sent to: no trick of a hostile receiver is taken for metrics, or for their end."""

import pytest

from consumer.clock import ManualClock
from consumer.endpoints.outcome import Halted, Rejected, Retry, Unclear
from consumer.endpoints.touchpoint_answers import TouchpointAnswers
from consumer.endpoints.touchpoints import ExperienceQuery, Slice, TouchpointQuery, UserQuery, VisitsType
from consumer.http.httpx_sender import HttpxSender
from consumer.http.sender import Answer, SenderPolicy
from tests.contract.senders.receiver import Receiver
from tests.hostile.tricks import QUICK, Trick

QUERIES = (
    ExperienceQuery("47Gop5"),
    UserQuery("47Gop5", "user-1"),
    TouchpointQuery("t-1", VisitsType.TOTAL),
    TouchpointQuery("t-1", VisitsType.UNIQUE),
)


@pytest.mark.parametrize("trick", QUICK.values(), ids=list(QUICK))
async def test_a_trick_is_never_taken_for_metrics(trick: Trick) -> None:
    receiver = await Receiver(trick.behave).start()
    sender = HttpxSender(SenderPolicy())

    answer = await sender.get(receiver.url("/v3/x"), {"x-distinct-api-key": "admin-key"})

    await sender.close()
    await receiver.close()
    if isinstance(answer, Answer):
        for query in QUERIES:
            found = TouchpointAnswers(ManualClock()).read(query, Slice(0, 100), answer)
            assert isinstance(found, Halted | Unclear | Retry | Rejected), found
