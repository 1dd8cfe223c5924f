"""What happens, in words: one line an act, for whoever reads a counter-example."""

from typing import Any

from consumer.core.claims import Buried, Duplicate, Fenced, Wait, Windowed
from consumer.ledger.ledger import Held, Intent
from tests.search.edges import Call
from tests.search.scenario import Scenario
from tests.search.state import NOBODY, Act, State

WORDS = {
    "commit": "wants to commit what is settled",
    "broker": "commits {0}",
    "crash": "is killed, and started again",
    "stall": "is silent for longer than its lease",
    "reload": "reads its topology anew",
    "assign": "is given p{0} by the broker",
    "revoke": "has to leave p{0}, and drains",
    "poll": "polls {0}",
    "tell lost": "hears that p{0} is lost",
    "timer": "waits until its timer fires: {0}",
    "rehearse": "sees its child survive {0}",
    "take": "has {0} on the wire: the receiver takes it",
    "take a part": "has {0} on the wire: the receiver takes the first only, and answers unclearly",
    "acknowledge": "hears that {0} was taken",
    "lose the answer": "never hears that {0} was taken: no clear answer",
    "time out": "gives up waiting for {0}, which is still under way: no clear answer",
    "break": "has {0} on the wire: not taken, and the answer is unclear",
    "refuse": "has {0} on the wire: refused, as documented",
    "halt": "has {0} on the wire: 401",
    "write": "has its dead letter of {0} acknowledged",
    "fail to write": "cannot write its dead letter of {0}",
}


def tell(scenario: Scenario, state: State, act: Act, answer: Any = None) -> str:
    """One line; `answer` is the ledger's, where the act is a call of it."""
    about: list[Any] = list(act.about)
    match act.name:
        case "ledger":
            return f"process {act.slot + 1}: {_call(scenario, about[0], answer)}"
        case "steal":
            return f"the broker gives p{about[0]} to process {about[1] + 1}; process {act.slot + 1} does not know yet"
        case "lapse":
            return "the lease of a process that died ends"
        case "flush":
            return "the ledger loses all it knew"
        case "take late":
            return f"the receiver takes {_names(scenario, about[0])}, which nobody waits for any more"
        case "redrive":
            return f"an operator redrives the dead letter of {_at(scenario, about[0])}"
        case "redrive on":
            return "the operator's redriven record is " + (
                "confirmed"
                if state.operator is not None and state.operator.taken
                else "taken by the receiver"
            )
        case "poll":
            had = state.slots[act.slot].has[about[0]]
            log = scenario.logs[about[0]][had.next if had else 0 :][: scenario.chunk]
            about = [", ".join(_at(scenario, record.origin) for record in log)]
        case "broker":
            about = [" and ".join(f"p{p} to {offset}" for p, _, offset in state.slots[act.slot].commits[:1])]
        case "rehearse":
            about = [" and ".join(_at(scenario, origin) for origin in about[0].about)]
        case "write" | "fail to write":
            ((partition, offset),) = about[0].about
            about = [_at(scenario, scenario.logs[partition][offset].origin)]
        case _ if about and isinstance(about[0], Call):
            about = [_names(scenario, about[0].about)]
    who = f"process {act.slot + 1} " if act.slot != NOBODY else ""
    return who + WORDS[act.name].format(*about)


def _call(scenario: Scenario, call: Call, answer: Any) -> str:
    match call.kind:
        case "assign":
            return f"the ledger writes its epoch for p{call.about[0].partition}"
        case "advance":
            places = " and ".join(f"p{partition.partition} at {offset}" for partition, offset in call.about)
            return f"the ledger records {places}"
        case "venture":
            places = " and ".join(f"p{one.partition} up to {reach}" for one, (_, reach) in call.about)
            return f"the ledger records what may be met of {places}"
        case "reserve":
            refused = dict(answer[1]) if answer is not None else {}
            said = [
                f"{_at(scenario, one.origin)}: {_refusal(scenario, refused.get(index))}"
                for index, one in enumerate(call.about)
            ]
            return f"the ledger is asked to reserve {'; '.join(said)}"
    words = {
        "release": "takes back",
        "confirm": "confirms",
        "bury": "marks as dead-lettered",
        "states": "is asked for",
    }
    return f"the ledger {words[call.kind]} {_names(scenario, call.about)}"


def _refusal(scenario: Scenario, refusal: Any) -> str:
    match refusal:
        case None:
            return "granted"
        case Duplicate(origin):
            return f"a duplicate of {_at(scenario, origin)}"
        case Windowed(origin):
            return f"in the window of {_at(scenario, origin)}"
        case Wait(origin):
            return f"has to wait for {_at(scenario, origin)}"
        case Buried():
            return "dead-lettered before"
        case Fenced():
            return "fenced"
    return str(refusal)


def _names(scenario: Scenario, about: Any) -> str:
    intents = [one.intent if isinstance(one, Held) else one for one in about]
    return " and ".join(_at(scenario, one.origin) for one in intents if isinstance(one, Intent))


def _at(scenario: Scenario, origin: Any) -> str:
    return f"{scenario.said[origin].event} (p{origin.partition}@{origin.offset})"
