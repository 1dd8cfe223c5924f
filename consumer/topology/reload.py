"""Which of a topology can be exchanged while records are in flight, and which needs a restart. Pure."""

from consumer.topology.plan import Plan, Topic

RESTART = "it stays as it was until a restart"


def needs_restart(old: Plan, new: Plan, longest_s: float) -> list[str]:
    """Why the new plan cannot take over from the old one while it runs; nothing where it can.

    longest_s: of a request, by what the ledger was opened for.
    """
    reasons = []
    for name in sorted(old.topics.keys() | new.topics.keys()):
        if name not in new.topics:
            reasons.append(f"topics.{name}: is read, and not in the topology any more: {RESTART}")
        elif name not in old.topics:
            reasons.append(f"topics.{name}: is new: topics are subscribed to at the start")
        else:
            reasons += _of_topic(old.topics[name], new.topics[name])
    for name, destination in new.destinations.items():
        if destination.timeouts.total_s > longest_s:
            text = f"at most {longest_s:g}s while it runs: the ledger holds reservations no longer"
            reasons.append(f"destinations.{name}.timeouts.total: {text}")
    return reasons


def _of_topic(old: Topic, new: Topic) -> list[str]:
    """`start` and `on_gap` have been acted on; letters have one topic; by `user` go lanes, and so the order."""
    words = ("start", "on_gap", "dead_letters", "user")
    return [
        f"topics.{new.name}.{word}: can't be changed while it runs: {RESTART}"
        for word in words
        if getattr(old, word) != getattr(new, word)
    ]
