"""`simulate`: the five APIs as a strict local server."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import click
import uvloop

from consumer.cli.simulated_world import read_world
from consumer.errors import UsageError
from consumer.sandbox.simulator import ApiFaults, FaultPlan, SimulatorConfig, SimulatorServer, serve

_SHARE = click.FloatRange(0, 1)


@click.command(
    short_help="Serve the APIs on this machine, as strict as their pages.",
    epilog="""\b
Examples:
  distinct-consumer simulate
  distinct-consumer simulate --port 9000 --latency-ms 20 --error-rate 0.01
  distinct-consumer simulate --world our-world.yaml --keep 1000000
\b
Then, in another terminal:
  export DISTINCT_BASE_URL=http://127.0.0.1:8090
  export EVENT_API_BASE_URL=http://127.0.0.1:8090
  export CLIENT_API_BASE_URL=http://127.0.0.1:8090
  export DISTINCT_API_KEY=distinct-sandbox-key CLIENT_API_KEY=pk_sandbox
  export EVENT_API_KEY=event-sandbox-key
  distinct-consumer run
\b
Watch it: http://127.0.0.1:8090/_simulator/
\b
What it accepted and refused; break it while it runs; heal it:
  curl http://127.0.0.1:8090/_simulator/ledger
  curl -X PUT http://127.0.0.1:8090/_simulator/outages \\
       -d '{"client_api": {"status": 401}}'
  curl -X DELETE http://127.0.0.1:8090/_simulator/outages
""",
)
@click.option(
    "--host",
    metavar="HOST",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen; the control paths need no key.",
)
@click.option(
    "--port",
    metavar="PORT",
    default=8090,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0: any free one.",
)
@click.option(
    "--distinct-api-key",
    metavar="KEY",
    default="distinct-sandbox-key",
    show_default=True,
    help="The shared key, of User Analytics and Capture Analytics.",
)
@click.option(
    "--client-api-key",
    metavar="KEY",
    default="pk_sandbox",
    show_default=True,
    help="The key that the Client API accepts; begins with pk_.",
)
@click.option(
    "--distinct-admin-api-key",
    metavar="KEY",
    default="distinct-admin-sandbox-key",
    show_default=True,
    help="The admin key, of the touchpoint metrics.",
)
@click.option(
    "--event-api-key",
    metavar="KEY",
    default="event-sandbox-key",
    show_default=True,
    help="The key that the event/ API accepts.",
)
@click.option(
    "--world",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Users, experiences, pairs and touchpoints on record, as YAML.",
)
@click.option(
    "--keep",
    metavar="N",
    type=click.IntRange(min=1),
    default=200_000,
    show_default=True,
    help="How many items and ids each API remembers.",
)
@click.option("--latency-ms", metavar="MS", type=click.FloatRange(min=0), help="Added to every answer.")
@click.option("--throttle-rate", metavar="SHARE", type=_SHARE, help="Of 429 with Retry-After, 0 to 1.")
@click.option("--error-rate", metavar="SHARE", type=_SHARE, help="Of 500, 0 to 1.")
@click.option(
    "--drop-rate", metavar="SHARE", type=_SHARE, help="Of connections dropped before the effect, 0 to 1."
)
@click.option("--lost-rate", metavar="SHARE", type=_SHARE, help="Of answers lost after the effect, 0 to 1.")
@click.option(
    "--seed", metavar="N", default=1, show_default=True, type=int, help="The same seed gives the same faults."
)
def simulate(
    host: str,
    port: int,
    distinct_api_key: str,
    client_api_key: str,
    distinct_admin_api_key: str,
    event_api_key: str,
    world: Path | None,
    keep: int,
    latency_ms: float | None,
    throttle_rate: float | None,
    error_rate: float | None,
    drop_rate: float | None,
    lost_rate: float | None,
    seed: int,
) -> None:
    """Serve the five APIs on this machine, all on one port.

    As strict as the vendors' pages, with faults to order, a page that shows the traffic, and a ledger of
    what was accepted. Until a signal.
    """
    changes = {} if world is None else read_world(world)
    try:
        faults = ApiFaults(
            latency_ms=latency_ms or 0.0,
            rate_429=throttle_rate or 0.0,
            rate_500=error_rate or 0.0,
            rate_drop=drop_rate or 0.0,
            rate_lost_response=lost_rate or 0.0,
        )
        config = SimulatorConfig(
            distinct_api_key=distinct_api_key,
            client_api_key=client_api_key,
            distinct_admin_api_key=distinct_admin_api_key,
            event_api_key=event_api_key,
            host=host,
            port=port,
            keep=keep,
            faults=FaultPlan.everywhere(faults, seed=seed),
            **changes,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    _serve_here(config)


def _serve_here(config: SimulatorConfig) -> None:
    try:
        uvloop.run(_serve(config))
    except OSError as error:
        # The loop's own text repeats the address.
        number = error.errno or 0
        problem = os.strerror(number) if number > 0 else error.strerror or "not an address"
        raise UsageError(
            f"cannot listen on {config.host}:{config.port}: {problem}; choose another by --host and --port"
        ) from None


async def _serve(config: SimulatorConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)

    def ready(server: SimulatorServer) -> None:
        url = server.base_url
        click.echo(f"simulating on {url}", err=True)
        names = ("DISTINCT_BASE_URL", "EVENT_API_BASE_URL", "CLIENT_API_BASE_URL")
        click.echo(f"  use it:            export {' '.join(f'{name}={url}' for name in names)}", err=True)
        click.echo(f"  watch it:          {url}/_simulator/", err=True)
        click.echo(f"  what it accepted:  curl {url}/_simulator/ledger", err=True)

    await serve(config, ready=ready, stop=stop)
