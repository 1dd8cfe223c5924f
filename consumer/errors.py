"""The errors that leave a module. An expected result is a returned value; an exception here means a fault.

ConsumerError
├── UsageError            the user's mistake: one message, exit 2
│   └── ConfigurationError    several findings, each with file, line and key
├── RefusedError          unsafe without a flag, exit 4
├── StoppedError          stopped with work unsettled, exit 3
└── FaultError            something outside failed, exit 1
    ├── BrokerError           Kafka: fatal, or credentials refused
    ├── RegistryUnavailable   the schema registry gave no usable answer
    └── LedgerUnavailable     the ledger cannot answer: delivery stops
"""


class ConsumerError(Exception):
    """The root: its text is shown to the user as it is, so it names what, where and what to do, and no
    secret.
    """

    exit_code = 1


class UsageError(ConsumerError):
    """The command line, the settings or a file is wrong."""

    exit_code = 2


class ConfigurationError(UsageError):
    """All that is wrong with the configuration, at once."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings


class RefusedError(ConsumerError):
    """Refused because it is unsafe without a flag; the text names the flag."""

    exit_code = 4


class StoppedError(ConsumerError):
    """Stopped while work was unsettled; it comes again at the next start."""

    exit_code = 3


class FaultError(ConsumerError):
    """Something outside of the process failed for good."""


class BrokerError(FaultError):
    """Kafka refused us or the client is in a fatal state."""


class RegistryUnavailable(FaultError):
    """The schema registry did not answer, or answered nonsense: wait and ask again."""


class LedgerUnavailable(FaultError):
    """The ledger cannot answer (full, locked, corrupt, gone): nothing may be sent or committed."""
