"""The /status documents of several workers as one, in the same words: what reads one worker's, reads all of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

Document = Mapping[str, Any]
Numbered = Mapping[int, Document]
"""A document by its worker's number."""

_STATES = ("running", "throttled", "paused", "halted")
"""From good to bad: one worker's halt is what an operator has to see."""


def status_sum(books: dict[str, Any], of: Numbered) -> dict[str, Any]:
    """One document. `books`: added up already, as every command prints them; each has all destinations of `of`.

    Numbers are added; of states the worst counts, and its reason names the worker; what is a list has `worker`
    beside each entry.
    """
    for name, one in books["destinations"].items():
        one |= _destination({n: d["destinations"][name] for n, d in of.items() if name in d["destinations"]})
    return {
        **books,
        "topology_version": ", ".join(sorted({d["topology_version"] for d in of.values()})),
        "troubles": [
            {**one, "reason": f"worker {one['worker']}: {one['reason']}"} for one in _listed(of, "troubles")
        ],
        "pending": _pending([document["pending"] for document in of.values()]),
        "held_by": sorted(_listed(of, "held_by"), key=lambda one: -one["in_flight"]),
        "hottest_partition": max(
            (
                {"worker": number, **hottest}
                for number, document in of.items()
                if (hottest := document["hottest_partition"]) is not None
            ),
            key=lambda one: one["unsettled"],
            default=None,
        ),
        "watch": _watch({number: document["watch"] for number, document in of.items()}),
        "decoding": _worst({number: document["decoding"] for number, document in of.items()}),
        "dead_letters": _dead_letters({number: document["dead_letters"] for number, document in of.items()}),
        "ledger": {
            "trouble": _first({number: document["ledger"]["trouble"] for number, document in of.items()}),
            "alarms": sum(document["ledger"]["alarms"] for document in of.values()),
        },
        "partitions": sorted(
            _listed(of, "partitions"), key=lambda one: (one["topic"], one["partition"], one["worker"])
        ),
    }


def _destination(of: Numbered) -> dict[str, Any]:
    return {
        **_worst(of),
        "requests_in_flight": sum(one["requests_in_flight"] for one in of.values()),
        "limit": sum(one["limit"] for one in of.values()),
    }


def _worst(of: Numbered) -> dict[str, Any]:
    if not of:
        return {"state": "unknown", "reason": "no worker has answered yet"}
    number, worst = max(of.items(), key=lambda pair: _STATES.index(pair[1]["state"]))
    reason = worst["reason"]
    return {"state": worst["state"], "reason": f"worker {number}: {reason}" if reason else reason}


def _pending(every: list[Document]) -> dict[str, Any]:
    numbers = ("records", "bytes", "max_records", "max_bytes")
    return {
        **{name: sum(one[name] for one in every) for name in numbers},
        "paused": any(one["paused"] for one in every),
        "resting_topics": sorted({topic for one in every for topic in one["resting_topics"]}),
    }


def _watch(of: Numbered) -> dict[str, Any]:
    stalls = Counter[str]()
    for one in of.values():
        stalls.update(one["stalls"])
    lists = ("books", "stuck_partitions", "stuck_lanes", "stalled")
    return {**{name: _listed(of, name) for name in lists}, "stalls": dict(stalls)}


def _dead_letters(of: Numbered) -> dict[str, Any]:
    counts = Counter[tuple[str, str]]()
    for one in of.values():
        for letters in one["reasons"]:
            counts[letters["destination"], letters["reason"]] += letters["count"]
    return {
        "unwritable": _first({number: one["unwritable"] for number, one in of.items()}),
        "reasons": [
            {"destination": destination, "reason": reason, "count": count}
            for (destination, reason), count in sorted(counts.items())
        ],
    }


def _first(of: Mapping[int, str | None]) -> str | None:
    return next((f"worker {number}: {text}" for number, text in of.items() if text is not None), None)


def _listed(of: Numbered, key: str) -> list[dict[str, Any]]:
    return list(_with_worker(of, key))


def _with_worker(of: Numbered, key: str) -> Iterable[dict[str, Any]]:
    for number, document in of.items():
        for one in document[key]:
            yield {"worker": number, **one}
