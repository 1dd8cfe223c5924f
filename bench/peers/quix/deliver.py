"""Quix Streams with a sink of a page, as its documents have one written: batches, flushed at each checkpoint.

Runs in a virtual environment of its own. Arrays go one after the other; single objects from threads, because one after
the other nobody would send them at a distance.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson
from quixstreams import Application  # type: ignore[import-not-found]  # in its own environment only
from quixstreams.models.serializers.avro import AvroDeserializer  # type: ignore[import-not-found]
from quixstreams.models.serializers.schema_registry import (  # type: ignore[import-not-found]
    SchemaRegistryClientConfig,
)
from quixstreams.sinks import BatchingSink, SinkBatch  # type: ignore[import-not-found]

from bench.bodies import analytics_event, client_event
from bench.peers.request import Request

_CHECKPOINT_S = 1.0
_IDLE_S = 2.0
_MOST_THREADS = 32
"""More are no faster: httpx then takes the time, not the distance. Its asynchronous client was slower still."""


class HttpSink(BatchingSink):  # type: ignore[misc]
    """Posts what a checkpoint gathered."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self._request = request
        self._threads = ThreadPoolExecutor(min(request.in_flight, _MOST_THREADS))
        limits = httpx.Limits(max_connections=_MOST_THREADS, max_keepalive_connections=_MOST_THREADS)
        self._client = httpx.Client(headers=request.headers, limits=limits, timeout=30.0)

    def write(self, batch: SinkBatch) -> None:
        if self._request.items == 1:
            for _ in self._threads.map(self._post, _values(batch)):
                pass  # raises what a thread raised
            return
        for chunk in batch.iter_chunks(n=self._request.items):
            self._post(_values(chunk))

    def _post(self, document: Any) -> None:
        body = orjson.dumps(document, option=orjson.OPT_UTC_Z)
        self._request.accept(self._client.post(self._request.url, content=body).status_code)


def _values(chunk: Iterable[Any]) -> list[Any]:
    return [one.value for one in chunk]


def deliver(request: Request) -> None:
    """To the last record; without any, for a moment."""
    application = Application(
        broker_address=request.bootstrap_servers,
        consumer_group=request.group,
        auto_offset_reset="earliest",
        commit_interval=_CHECKPOINT_S,
        loglevel="ERROR",
    )
    registry = SchemaRegistryClientConfig(url=request.registry)
    topic = application.topic(
        request.topic,
        value_deserializer=AvroDeserializer(return_record_name=True, schema_registry_client_config=registry),
    )
    item_of = analytics_event if request.items == 1 else client_event
    application.dataframe(topic).apply(item_of).sink(HttpSink(request))
    if request.records:
        application.run(count=request.records, collect=False)
    else:
        application.run(timeout=_IDLE_S, collect=False)


if __name__ == "__main__":
    deliver(Request.from_arguments())
