"""What a sender may be told."""

from typing import Any

import pytest

from consumer.http.sender import SenderPolicy


@pytest.mark.parametrize(
    "wrong",
    [
        {"connect_timeout_s": 0.0},
        {"connect_timeout_s": 31.0},
        {"total_timeout_s": 1.0},
        {"idle_timeout_s": 0.0},
        {"max_connections": 0},
        {"max_body_bytes": 0},
        {"user_agent": "a\r\nb: c"},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)).replace("_", ".")):
        SenderPolicy(**wrong)


def test_a_policy_cannot_be_changed() -> None:
    policy = SenderPolicy()

    with pytest.raises(AttributeError):
        policy.max_connections = 1  # type: ignore[misc]
