"""The bare loop: what a script of a page does with the same libraries, without any guarantee. The yardstick.

It reads, decodes, maps by hand, posts, and lets the client commit once a second whatever was read. It knows
no duplicates, order, windows, retries, dead letters or drains: any answer but the expected one ends it.
"""

import asyncio
import json
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import orjson
import uvloop
from confluent_kafka import Consumer
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.http import Url

from bench.bodies import Item, analytics_event, client_event

_CHUNK = 500
_FRAME_BYTES = 5
_EMPTY_WAIT_S = 0.005


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one run; handed over as JSON in the only argument."""

    bootstrap_servers: str
    group: str
    topic: str
    records: int
    url: str
    headers: dict[str, str]
    acknowledged: int
    """The only status that is an acknowledgement."""
    items: int
    in_flight: int
    schema: str
    """The file of the events' schema."""


class BareLoop:
    """Workers that each post the next body; whoever finds none makes more of the next chunk."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._schema: Any = fastavro.parse_schema(json.loads(Path(settings.schema).read_bytes()))
        self._item_of: Callable[[Item], Item] = analytics_event if settings.items == 1 else client_event
        self._items: list[Item] = []
        self._bodies: deque[bytes] = deque()
        self._refilling = asyncio.Lock()
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.bootstrap_servers,
                "group.id": settings.group,
                "auto.offset.reset": "earliest",
                "auto.commit.interval.ms": 1000,
            }
        )
        self.consumed = 0
        self.requests = 0

    async def run(self) -> None:
        """To the last record; raises RuntimeError for an answer that is no acknowledgement."""
        if self._settings.records:
            self._consumer.subscribe([self._settings.topic])
        async with ClientBuilder().http1_only().no_proxy().follow_redirects(False).build() as client:
            await asyncio.gather(*(self._work(client) for _ in range(self._settings.in_flight)))
        self._consumer.close()

    async def _work(self, client: Client) -> None:
        url, headers = Url(self._settings.url), self._settings.headers
        while (body := await self._next_body()) is not None:
            response = await client.post(url).headers(headers).body_bytes(body).build().send()
            if response.status != self._settings.acknowledged:
                raise RuntimeError(f"the receiver answered {response.status}")
            self.requests += 1

    async def _next_body(self) -> bytes | None:
        while not self._bodies:
            if self.consumed >= self._settings.records:
                return None
            async with self._refilling:
                if not self._bodies and self.consumed < self._settings.records:
                    await self._refill()
        return self._bodies.popleft()

    async def _refill(self) -> None:
        messages = self._consumer.consume(_CHUNK, 0)
        if not messages:
            await asyncio.sleep(_EMPTY_WAIT_S)
            return
        for message in messages:
            if message.error() is not None:
                raise RuntimeError(str(message.error()))
            value: Any = message.value()
            event: Any = fastavro.schemaless_reader(
                BytesIO(value[_FRAME_BYTES:]), self._schema, None, return_record_name=True
            )
            self._items.append(self._item_of(event))
        self.consumed += len(messages)
        self._encode()

    def _encode(self) -> None:
        most, items = self._settings.items, self._items
        if most == 1:
            self._bodies.extend([orjson.dumps(item, option=orjson.OPT_UTC_Z) for item in items])
            items.clear()
            return
        while len(items) >= most or (items and self.consumed >= self._settings.records):
            self._bodies.append(orjson.dumps(items[:most], option=orjson.OPT_UTC_Z))
            del items[:most]


async def _main(settings: Settings) -> None:
    loop = BareLoop(settings)
    await loop.run()
    print(json.dumps({"consumed": loop.consumed, "requests": loop.requests}))


if __name__ == "__main__":
    uvloop.run(_main(Settings(**json.loads(sys.argv[1]))))
