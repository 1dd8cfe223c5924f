"""The schema of the generated events, and its place in the registry."""

import json
from typing import Any, Protocol

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from consumer.errors import FaultError, RegistryUnavailable
from consumer.resources import schemas_dir


class Registry(Protocol):
    """What is needed of a schema registry's client."""

    def register_schema(self, subject_name: str, schema: Schema) -> int:
        """Give the schema's id, a new one where it is not there yet."""
        ...


def user_event_schema() -> Any:
    """The shipped schema as JSON. Blocks for a small file."""
    return json.loads(user_event_text())


def user_event_text() -> str:
    """The shipped schema as its file has it, which is how `topology apply` registers it. Blocks for a small file."""
    return (schemas_dir() / "user-event.avsc").read_text("utf-8")


def connect(url: str) -> SchemaRegistryClient:
    """A client for a registry at `http(s)://…`, or for one in this process's memory at `mock://…`."""
    config: dict[str, Any] = {"url": url}
    if not url.startswith("mock://"):
        # The client's own default is no time-out at all.
        config |= {"timeout": 10, "max.retries": 2}
    return SchemaRegistryClient.new_client(config)


def register(registry: Registry, topic: str) -> int:
    """Register the events' schema under `<topic>-value`; gives its id. May block as long as the client does.

    Raises RegistryUnavailable where the registry does not answer, FaultError where it refuses the schema.
    """
    subject = f"{topic}-value"
    try:
        # As the file has it: some registries take other white space for a version of its own.
        return registry.register_schema(subject, Schema(user_event_text(), "AVRO"))
    except SchemaRegistryError as error:
        raise FaultError(
            f"the registry refused the schema for the subject {subject} "
            f"(HTTP {error.http_status_code}): {error.error_message}"
        ) from error
    except Exception as error:
        # The client lets its HTTP library's errors through, and says nowhere which.
        raise RegistryUnavailable(f"the registry does not answer: {type(error).__name__}") from error
