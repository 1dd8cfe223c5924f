"""Kafka's side of the world: who has which partition, what is polled and what is committed."""

from tests.search.edges import Call
from tests.search.ground import with_
from tests.search.receiving import Receiving
from tests.search.state import NOBODY, Act, Had, Slot, State


class Broker(Receiving):
    """The group, and what the owner thread of each process does."""

    def _told(self, state: State, number: int, told: Call) -> State:
        slot = state.slots[number]
        match told:
            case Call("met", (partition, epoch, offset)):
                if state.stands[partition] == (number, epoch):
                    self.rules.met(state, self.store(state), partition, offset)
                return state
            case Call("commit", (partition, epoch, offset)):
                had = slot.has[partition]
                if had is None or had.epoch != epoch:
                    return state  # The owner thread forgot this epoch.
                return self._put(
                    state, number, slot._replace(commits=(*slot.commits, (partition, epoch, offset)))
                )
            case Call("begun", (partition, epoch, offset)):
                state = self._put(state, number, having(slot, partition, Had(epoch, offset)))
                first = state.committed[partition] is None and state.members[partition] == number
                return self._committed(state, partition, offset) if first else state
            case Call("drained", (partition, offset)):
                if not slot.overdue:
                    seen = self.automaton.seen[slot.state]
                    self.rules.drained(one for one in seen.unanswered if one.partition == partition)
                    held = (row for row in self.store(state).reserved if row.owner == slot.owner)
                    self.rules.given_back(
                        row.holder.origin for row in held if row.holder.origin[1] == partition
                    )
                state = self._put(
                    state, number, having(slot, partition, None)._replace(draining=NOBODY, overdue=False)
                )
                if state.members[partition] != number:
                    return state  # The broker refuses it: another has the partition.
                state = state._replace(members=with_(state.members, partition, NOBODY))
                return state if offset is None else self._committed(state, partition, offset)
            case Call("reclaim", (partition, epoch)):
                had = slot.has[partition]
                if had is None or had.epoch != epoch or state.members[partition] != number:
                    return state
                state = self._put(state, number, having(slot, partition, None))
                return self._assign(state, Act("assign", number, (partition,)))
        raise AssertionError(told)

    def _assign(self, state: State, act: Act) -> State:
        (partition,) = act.about
        assert isinstance(partition, int)
        state = state._replace(members=with_(state.members, partition, act.slot))
        return self._tell(state, act.slot, Call("assign", (partition, state.committed[partition])))

    def _poll(self, state: State, act: Act) -> State:
        (partition,) = act.about
        assert isinstance(partition, int)
        slot = state.slots[act.slot]
        had = slot.has[partition]
        assert had is not None
        count = min(self.scenario.chunk, len(self.scenario.logs[partition]) - had.next)
        state = self._put(state, act.slot, having(slot, partition, Had(had.epoch, had.next + count)))
        return self._tell(state, act.slot, Call("poll", (partition, had.epoch, had.next, count)))

    def _commit(self, state: State, act: Act) -> State:
        return self._tell(state, act.slot, Call("commit", ()))

    def _broker(self, state: State, act: Act) -> State:
        slot = state.slots[act.slot]
        (partition, epoch, offset), *rest = slot.commits
        state = self._put(state, act.slot, slot._replace(commits=tuple(rest)))
        had = slot.has[partition]
        if had is None or had.epoch != epoch:
            return state
        if state.members[partition] != act.slot:
            return self._tell(state, act.slot, Call("failed", (partition,)))
        state = self._committed(state, partition, offset)
        return self._tell(state, act.slot, Call("committed", (partition, offset)))

    def _committed(self, state: State, partition: int, offset: int) -> State:
        self.rules.commit(state, self.store(state), partition, offset)
        return state._replace(committed=with_(state.committed, partition, offset))

    def _revoke(self, state: State, act: Act) -> State:
        (partition,) = act.about
        assert isinstance(partition, int)
        slot = state.slots[act.slot]._replace(draining=partition)
        state = self.rules.open(state, lambda origin: origin.partition == partition)
        return self._tell(self._put(state, act.slot, slot), act.slot, Call("drain", (partition,)))

    def _steal(self, state: State, act: Act) -> State:
        partition, other = act.about
        assert isinstance(other, int)
        return self._assign(state, Act("assign", other, (partition,)))

    def _tell_lost(self, state: State, act: Act) -> State:
        (partition,) = act.about
        assert isinstance(partition, int)
        slot = having(state.slots[act.slot], partition, None)
        state = self.rules.open(state, lambda origin: origin.partition == partition)
        return self._tell(self._put(state, act.slot, slot), act.slot, Call("lost", (partition,)))


def having(slot: Slot, partition: int, had: Had | None) -> Slot:
    """What was asked to be committed under an epoch that it forgot, the owner thread drops."""
    has = with_(slot.has, partition, had)
    kept = tuple(
        one for one in slot.commits if one[0] != partition or (had is not None and had.epoch == one[1])
    )
    return slot._replace(has=has, commits=kept)
