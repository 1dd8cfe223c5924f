"""Everything at once with all operations of the Client API, aliases that rest and traits that are collapsed: what
`test_everything_at_once` says of arrays and singles holds with them too."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.endpoints.client_alias import ClientAlias, ClientAliasOptions
from consumer.endpoints.client_identify import ClientIdentify, ClientIdentifyOptions
from tests.unit.pipeline.drama import ACTS, Drama
from tests.unit.pipeline.stage import Process
from tests.unit.pipeline.virtual_time import run

SETTLE_S = 0.7


class DramaOfFour(Drama):
    """Each event is of one operation, by its id: a duplicate comes to the same."""

    targets = (("client",),)

    async def _new_process(self) -> Process:
        one = await super()._new_process()
        identify = ClientIdentify(one.clock, ClientIdentifyOptions(collapse=4))
        operations = (
            one.operations["client"],
            ClientAlias(one.clock, ClientAliasOptions(settle_delay_s=SETTLE_S)),
            identify,
            identify,
            one.operations["client/devices"],
        )
        names = ("client", "client/alias", "client/identify", "client/identify", "client/devices")
        one.operations |= dict(zip(names, operations, strict=True))
        routed = one.said.routed

        def by_id(said):  # type: ignore[no-untyped-def]
            return routed({**said, "to": names[int(said["id"].partition("-")[2]) % len(names)]})

        one.said.routed = by_id  # type: ignore[method-assign]
        return one


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 1000)), max_size=30))
def test_crashes_fences_stalls_halts_and_refusals_in_any_order(seed, acts):
    async def play() -> None:
        await DramaOfFour(seed).play(acts)

    run(play())


@pytest.mark.parametrize("seed", range(4))
def test_a_long_play(seed):
    random = Random(seed)

    async def play() -> None:
        await DramaOfFour(seed).play([(random.choice(ACTS), random.randrange(1_000)) for _ in range(150)])

    run(play())
