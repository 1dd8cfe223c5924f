"""The loop that everyone writes first: confluent-kafka with its AvroDeserializer, and httpx, one request at a time.

What was acknowledged is stored, and the client commits that every so often: a commit a record would be far slower.
"""

import time
from typing import Any

import httpx
import orjson
from confluent_kafka import Consumer, Message
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from bench.bodies import analytics_event, client_event
from bench.peers.request import Request

_WAIT_S = 0.2
_IDLE_S = 2.0


def deliver(request: Request) -> None:
    """To the last record; without any, for a moment."""
    registry = SchemaRegistryClient({"url": request.registry})
    decode = AvroDeserializer(registry, return_record_name=True)
    item_of = analytics_event if request.items == 1 else client_event
    consumer = Consumer(
        {
            "bootstrap.servers": request.bootstrap_servers,
            "group.id": request.group,
            "auto.offset.reset": "earliest",
            "enable.auto.offset.store": False,
            "auto.commit.interval.ms": 1000,
        }
    )
    consumer.subscribe([request.topic])
    context = SerializationContext(request.topic, MessageField.VALUE)
    idle_until_s = time.monotonic() + _IDLE_S
    done = 0
    with httpx.Client(headers=request.headers, timeout=30.0) as client:
        while done < request.records or (not request.records and time.monotonic() < idle_until_s):
            messages = consumer.consume(request.items, _WAIT_S)
            if not messages:
                continue
            items = [item_of(_decoded(decode, message, context)) for message in messages]
            document = items[0] if request.items == 1 else items
            response = client.post(request.url, content=orjson.dumps(document, option=orjson.OPT_UTC_Z))
            request.accept(response.status_code)
            for message in messages:
                consumer.store_offsets(message)
            done += len(messages)
    consumer.close()


def _decoded(decode: AvroDeserializer, message: Message, context: SerializationContext) -> Any:
    if (error := message.error()) is not None:
        raise RuntimeError(str(error))
    return decode(message.value(), context)


if __name__ == "__main__":
    deliver(Request.from_arguments())
