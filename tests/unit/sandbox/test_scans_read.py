"""The demo's fifth API: what was scanned is read back, scan by scan, and a difference is told."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from consumer.errors import FaultError
from consumer.sandbox.scanning import EXPERIENCE, scanned_touchpoints
from consumer.sandbox.scans_read import read_scans
from consumer.sandbox.simulator import SimulatorConfig, SimulatorThread

_END = datetime(2026, 4, 27, 13, 35, tzinfo=UTC)
_TOUCHPOINTS = scanned_touchpoints(3, _END)
_CONFIG = SimulatorConfig(distinct_api_key="shared", client_api_key="pk_c", touchpoints=_TOUCHPOINTS)


def test_the_same_seed_scans_the_same_and_more_than_a_page_with_repeats():
    assert scanned_touchpoints(3, _END) == _TOUCHPOINTS
    assert scanned_touchpoints(4, _END) != _TOUCHPOINTS
    for touchpoint in _TOUCHPOINTS:
        assert len(touchpoint.visits) > 50
        assert len(set(touchpoint.visits)) < len(touchpoint.visits)
        assert len({visit.user_id for visit in touchpoint.visits}) < len(set(touchpoint.visits))


@pytest.mark.parametrize("experience_pages", [True, False])
async def test_every_scan_is_read_back(experience_pages):
    with SimulatorThread(replace(_CONFIG, experience_pages=experience_pages)) as simulator:
        result = await read_scans(
            simulator.base_url, _CONFIG.distinct_admin_api_key, EXPERIENCE, _TOUCHPOINTS
        )
    assert result.differences == ()
    assert result.read == result.scanned == sum(len(one.visits) for one in _TOUCHPOINTS)


async def test_a_scan_that_is_missing_or_made_up_is_told():
    (first, *others) = _TOUCHPOINTS
    (gone, *rest) = first.visits
    other = replace(gone, user_id="nobody")
    changed = (replace(first, visits=(*rest, other)), *others)
    with SimulatorThread(replace(_CONFIG, touchpoints=changed)) as simulator:
        result = await read_scans(
            simulator.base_url, _CONFIG.distinct_admin_api_key, EXPERIENCE, _TOUCHPOINTS
        )
    assert result.read == result.scanned
    assert "scans: 1 were not read, 1 were read that nobody made" in result.differences


async def test_a_refused_key_ends_it_with_the_reason():
    with (
        SimulatorThread(_CONFIG) as simulator,
        pytest.raises(FaultError, match=r"told no touchpoints: .*401"),
    ):
        await read_scans(simulator.base_url, "another-key", EXPERIENCE, _TOUCHPOINTS)
