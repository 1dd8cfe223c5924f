"""`python -m bench.backlog`: memory over time while an endpoint is down and millions of records wait behind it."""

import sys
import time
from itertools import cycle, islice

import click
import orjson
from confluent_kafka import Producer
from rich.console import Console

from bench.memory import Memory, Sample, as_json, print_table
from bench.setting import Setting, open_setting
from bench.topic import SUBJECT, events
from bench.workload import ARRAYS, CLIENT_KEY, PARTITIONS, write_topology
from consumer.errors import ConsumerError, FaultError
from consumer.sandbox.generator import user_event_schema
from tests.integration.processes import ConsumerProcess, wait_until

_DISTINCT_EVENTS = 50_000
"""Encoding millions of events would take longer than all the rest: so many are made, and repeated."""
_EVERY_S = 1.0
_TELL_EVERY = 500_000


@click.command()
@click.option(
    "--records", default=5_000_000, show_default=True, type=click.IntRange(min=50_000), help="The backlog."
)
@click.option(
    "--down",
    "down_s",
    default=180,
    show_default=True,
    type=click.IntRange(min=20),
    help="Seconds with the endpoint down, once polling rests.",
)
@click.option(
    "--up",
    "up_s",
    default=60,
    show_default=True,
    type=click.IntRange(min=0),
    help="Seconds after it came back.",
)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def backlog(records: int, down_s: int, up_s: int, output: str) -> None:
    """A consumer beside a backlog that it cannot deliver: what it holds in memory, second by second.

    On a real Kafka broker. Exits 1 if memory grows while the endpoint is down, if anything is committed or lost
    meanwhile, or if a watchdog takes the wait for a fault.
    """
    with open_setting(_tell) as setting:
        memory = _measure(records, down_s, up_s, setting)
    if output == "json":
        sys.stdout.buffer.write(orjson.dumps(as_json(memory), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        print_table(memory, Console())
    if not memory.passed:
        sys.exit(1)


def _measure(records: int, down_s: int, up_s: int, setting: Setting) -> Memory:
    topic = _fill(records, setting)
    setting.receiver.behave(status=503)
    consumer = _start(topic, setting)
    samples: list[Sample] = []
    started_s = time.monotonic()
    try:
        _sample(consumer, "reading", samples, started_s, 120, until_paused=True)
        _sample(consumer, "endpoint down", samples, started_s, down_s)
        _check(consumer)
        setting.receiver.behave()
        _sample(consumer, "endpoint up", samples, started_s, up_s)
        if consumer.stop() not in (0, 3):
            raise FaultError(f"the consumer did not end well{consumer.tail()}")
    finally:
        consumer.close()
    return Memory(records, samples)


def _sample(
    consumer: ConsumerProcess,
    phase: str,
    samples: list[Sample],
    started_s: float,
    seconds: float,
    *,
    until_paused: bool = False,
) -> None:
    """One sample a second, for so long, or until polling rests at the bound."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        status = consumer.status()
        if not consumer.running:
            raise FaultError(f"the consumer ended{consumer.tail()}")
        if status is not None:
            pending = status["pending"]
            at_s = round(time.monotonic() - started_s, 1)
            resident = consumer.resident_bytes
            samples.append(
                Sample(at_s, phase, resident, pending["records"], pending["bytes"], status["settled"])
            )
            if until_paused and pending["paused"]:
                return
        time.sleep(_EVERY_S)
    if until_paused:
        raise FaultError(f"polling never rested: the backlog is smaller than the bound{consumer.tail()}")


def _check(consumer: ConsumerProcess) -> None:
    """Nothing was delivered, committed or lost, and nobody took the wait for a fault."""
    status = consumer.wait_for_status(lambda _: True)
    watch = status["watch"]
    wrong = {
        "settled": status["settled"],
        "unbalanced": not status["balanced"],
        "committed": sum(one["committed"] for one in status["partitions"]),
        "false alarms": watch["books"]
        or watch["stuck_partitions"]
        or watch["stuck_lanes"]
        or watch["stalled"],
    }
    if any(wrong.values()):
        raise FaultError(f"while the endpoint was down: {wrong}{consumer.tail()}")


def _fill(records: int, setting: Setting) -> str:
    """Make a topic and its dead letters', and append the backlog; gives its name. Blocks."""
    broker = setting.broker
    topic = broker.topic("backlog", partitions=PARTITIONS)
    broker.create(f"{topic}.dead-letters")
    schema_id = setting.registry.register(SUBJECT, user_event_schema())
    _tell("encoding events")
    made = [(one.key, one.value) for one in events(ARRAYS, _DISTINCT_EVENTS, schema_id)]
    producer = Producer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "enable.idempotence": True,  # the order of a user is checked
            "linger.ms": 50,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 200_000,
            "log_level": 2,
        }
    )
    for number, (key, value) in enumerate(islice(cycle(made), records), 1):
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.1)
        if number % _TELL_EVERY == 0:
            _tell(f"{number:,} of {records:,} on the topic")
    if producer.flush(120.0):
        raise FaultError("the broker did not take the backlog")
    wait_until(lambda: sum(broker.end_offsets(topic).values()) == records, 30.0)
    return topic


def _start(topic: str, setting: Setting) -> ConsumerProcess:
    group = setting.broker.group("backlog")
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": setting.broker.bootstrap_servers,
        "SCHEMA_REGISTRY_URL": setting.registry.url,
        "CONSUMER_GROUP": group,
        "LEDGER_URL": f"sqlite:///{setting.folder / group}.db",
        "ADMIN_LISTEN": "127.0.0.1:0",
        "TOPOLOGY": str(write_topology(ARRAYS, topic, setting.folder)),
        "CLIENT_API_BASE_URL": setting.receiver.base_url,
        "CLIENT_API_KEY": CLIENT_KEY,
    }
    return ConsumerProcess("backlog", setting.folder, ["--drain-timeout", "5s"], environment)


def _tell(text: str) -> None:
    click.echo(f"bench: {text}", err=True)


def main() -> None:
    """An expected error is one message and its exit code."""
    try:
        backlog.main(standalone_mode=False)
    except (ConsumerError, TimeoutError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
