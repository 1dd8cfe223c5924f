"""What is wrong with the options of KAFKA_PROPERTIES, as far as it is found without any connection."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from consumer.kafka.properties import reserved

_QUOTED = re.compile(r'"([^"]+)"')
_MAKING = "Failed to create admin client: "
_CONNECTING = ("bootstrap.servers", "metadata.broker.list", "sasl.oauthbearer.method")
"""With these a client connects by itself, to brokers or for a token: their values are not looked at."""


def refused_options(options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each option that cannot be used, and why; its name is empty where several of them do not go together.

    Makes clients that know nobody to connect to, and throws them away. Blocks on the files that are named. No text
    holds a value of an option that may be secret.
    """
    left = dict(options)
    for name, value in options.items():
        why = reserved(name, value)
        if why is not None:
            yield name, f"cannot be set there: {why}"
        elif name.endswith(".location") and value != "probe" and not Path(value).exists():
            yield name, f"{value} does not exist"
        else:
            continue
        del left[name]
    left = {name: value for name, value in left.items() if name not in _CONNECTING}
    while (complaint := _complaint(left)) is not None:
        quoted = [name for name in _QUOTED.findall(complaint) if name in left]
        if not quoted:
            # Of all of them together: what else it would say, it says only once this is mended.
            yield max((name for name in left if name in complaint), key=len, default=""), complaint
            return
        yield quoted[-1], complaint
        del left[quoted[-1]]


def _complaint(options: Mapping[str, str]) -> str | None:
    """What librdkafka says to the first that it does not take."""
    try:
        # Nothing of what it logs beside is asked for here.
        AdminClient({**options, "log_level": 0})
    except KafkaException as error:
        cause = error.args[0]
        text = cause.str() if isinstance(cause, KafkaError) else str(cause)
        return text.strip().removeprefix(_MAKING)
    return None
