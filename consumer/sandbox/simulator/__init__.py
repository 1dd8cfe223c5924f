"""The vendors' APIs as a local server: strict, faulty on demand, and with a ledger of what it received.

Written from the vendors' pages, and it imports nothing from the sender, so that a misreading there is found
here.

SimulatorProcess for a process of its own, SimulatorThread for tests, `server.serve` for an event loop of
one's own.
"""

from consumer.sandbox.simulator.config import SimulatorConfig
from consumer.sandbox.simulator.faults import ApiFaults, FaultPlan
from consumer.sandbox.simulator.ledger_report import BookReport, LedgerItem, LedgerReport
from consumer.sandbox.simulator.outage import Outage
from consumer.sandbox.simulator.process import SimulatorProcess
from consumer.sandbox.simulator.remote import SimulatorRemote
from consumer.sandbox.simulator.server import SimulatorServer, serve
from consumer.sandbox.simulator.thread import SimulatorThread
from consumer.sandbox.simulator.touchpoint import DOCUMENTED_TOUCHPOINTS, Touchpoint, Visit
from consumer.sandbox.simulator.traffic import Exchange, TrafficReport
from consumer.sandbox.simulator.unknown_users import UnknownUsers
from consumer.sandbox.simulator.world import DOCUMENTED_PAIRS

__all__ = [
    "DOCUMENTED_PAIRS",
    "DOCUMENTED_TOUCHPOINTS",
    "ApiFaults",
    "BookReport",
    "Exchange",
    "FaultPlan",
    "LedgerItem",
    "LedgerReport",
    "Outage",
    "SimulatorConfig",
    "SimulatorProcess",
    "SimulatorRemote",
    "SimulatorServer",
    "SimulatorThread",
    "Touchpoint",
    "TrafficReport",
    "UnknownUsers",
    "Visit",
    "serve",
]
