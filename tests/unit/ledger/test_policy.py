"""What a ledger's times may be."""

import pytest

from consumer.errors import ConfigurationError
from consumer.ledger.policy import BUCKET_S, LedgerPolicy, expiry_s, horizon_s


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        LedgerPolicy(reservation_age_s=0.0, lease_s=-1.0, key_keep_s=60)
    assert [finding.split()[1] for finding in caught.value.findings] == [
        "reservation_age_s",
        "lease_s",
        "key_keep_s",
    ]


def test_a_key_must_outlive_a_reservation() -> None:
    with pytest.raises(ConfigurationError, match="window_keep_s is 7200"):
        LedgerPolicy(reservation_age_s=7_200.0, window_keep_s=7_200)


@pytest.mark.parametrize("written_s", [0, 1, BUCKET_S - 1, BUCKET_S, 1_800_000_123])
@pytest.mark.parametrize("keep_s", [BUCKET_S, 86_400, 90_001])
def test_what_the_horizon_passes_and_what_has_expired_is_the_same(written_s: int, keep_s: int) -> None:
    for later_s in range(written_s + keep_s - 2 * BUCKET_S, written_s + keep_s + 2 * BUCKET_S, 600):
        assert (written_s < horizon_s(later_s, keep_s)) == (expiry_s(written_s, keep_s) <= later_s)


@pytest.mark.parametrize("keep_s", [BUCKET_S, 86_400, 90_001])
def test_a_row_is_kept_for_its_time_and_less_than_a_bucket_more(keep_s: int) -> None:
    for written_s in range(1_800_000_000, 1_800_000_000 + BUCKET_S, 97):
        assert keep_s < expiry_s(written_s, keep_s) - written_s <= keep_s + BUCKET_S
