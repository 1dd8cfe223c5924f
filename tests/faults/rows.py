"""The faults that must be survived, numbered, and what is promised of each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table in docs/guarantees.md."""

    fault: str
    promise: str


ROWS: dict[int, Row] = {
    1: Row(
        "SIGKILL between any two steps of reserve, send, acknowledge, confirm, commit, dead-letter",
        "sent again at most what was on the wire",
    ),
    2: Row("SIGTERM with requests on the wire", "drained, committed, left; no duplicate"),
    3: Row("SIGSTOP for longer than the session", "others go on; late answers move no offset"),
    4: Row("a poll that hangs past max.poll.interval.ms", "others go on; the zombie commits nothing"),
    5: Row("members join, leave and are killed in a storm", "no commit goes back; it ends settled"),
    6: Row("an answer comes after its partition left and came back", "it moves no offset"),
    7: Row("the partition leader's broker is killed", "goes on with the next leader"),
    8: Row("the group coordinator's broker is killed while committing", "commits are asked for again"),
    9: Row("all brokers are down", "no exit; goes on when they are back"),
    10: Row("the brokers are restarted one after the other", "goes on; no duplicate"),
    11: Row("a consumer is cut off from the coordinator only", "another takes over; it joins again later"),
    12: Row("the broker refuses a commit, with each error there is", "retried, or ended saying why"),
    13: Row("a commit fails for some of its partitions", "the others stand, those are asked for again"),
    14: Row("two consumers have one group.instance.id", "exactly one ends, saying why"),
    15: Row(
        "retention passes the committed offset", "stops and names the range, or goes on as `on_gap` says"
    ),
    16: Row(
        "the topic is created anew, or gets partitions", "told, nothing skipped; read from their beginning"
    ),
    17: Row("aborted transactions, offsets that compaction removed", "passed over, also at the end"),
    18: Row("a batch that cannot be fetched or unpacked", "named as stuck; the others go on; memory bounded"),
    19: Row("one hot partition, one hot user", "the others go on"),
    20: Row("Avro: wrong magic, unknown id, truncated, bytes left over", "a dead letter"),
    21: Row("Avro: recursion, an array of nulls, a huge decimal", "a dead letter; the process lives"),
    22: Row("the registry answers 404, 500, garbage or never", "404 of an id: a dead letter; else it waits"),
    23: Row("429 or 503 with Retry-After", "waited for, up to a bound"),
    24: Row("the answer is lost after the effect", "the same key again; counted in doubt"),
    25: Row("302, 307", "no acknowledgement"),
    26: Row("a slow-loris, an endless body, half a 200", "bounded; no acknowledgement"),
    27: Row("400, 401, 403, 404, 409, 413, 422, 5xx", "as the endpoint's own table says"),
    28: Row("one user's record fails always", "the other users go on"),
    29: Row("the ledger is full, locked or damaged", "nothing is sent or committed until it can answer"),
    30: Row("Redis is restarted, flushed, fails over", "duplicates at most"),
    31: Row("the clock jumps by an hour", "leases hold"),
    32: Row("the dead-letter topic cannot be written", "waits; nothing is committed past it"),
    33: Row("no value, no key, too large, a header twice", "as stated; settled"),
    34: Row(
        "the configuration is wrong: key, type, secret, registry, topic, endpoint",
        "one message with key and file, exit 2",
    ),
}
"""By number."""
