"""Judges consumers from outside: by topic, receivers, dead letters and committed offsets."""

from tests.checker.checker import Report, check
from tests.checker.commit_log import read_commits
from tests.checker.commit_watch import CommitWatch
from tests.checker.committed import committed_offsets
from tests.checker.evidence import Commit, Evidence, Letter, Place, letter_of

__all__ = [
    "Commit",
    "CommitWatch",
    "Evidence",
    "Letter",
    "Place",
    "Report",
    "check",
    "committed_offsets",
    "letter_of",
    "read_commits",
]
