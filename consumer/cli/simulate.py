"""`simulate`: the APIs as a strict local server."""

import asyncio
import contextlib
import signal

import click
import uvloop

from consumer.sandbox.simulator import ApiFaults, FaultPlan, SimulatorConfig, SimulatorServer, serve


@click.command(
    epilog="""\b
Examples:
  distinct-consumer simulate
  distinct-consumer simulate --port 9000 --latency-ms 20 --error-rate 0.01
Then, in another terminal:
  export DISTINCT_BASE_URL=http://127.0.0.1:8090 CLIENT_API_BASE_URL=http://127.0.0.1:8090
  export DISTINCT_API_KEY=distinct-sandbox-key CLIENT_API_KEY=pk_sandbox
"""
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where to listen; the control paths need no key."
)
@click.option(
    "--port", default=8090, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option(
    "--distinct-api-key",
    default="distinct-sandbox-key",
    show_default=True,
    help="The key Distinct's APIs accept.",
)
@click.option(
    "--client-api-key", default="pk_sandbox", show_default=True, help="The key the Client API accepts."
)
@click.option(
    "--latency-ms",
    default=0.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Added to every answer.",
)
@click.option(
    "--throttle-rate",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of 429 with Retry-After.",
)
@click.option(
    "--error-rate", default=0.0, show_default=True, type=click.FloatRange(0, 1), help="Share of 500."
)
@click.option(
    "--drop-rate",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of connections dropped before the effect.",
)
@click.option(
    "--lost-rate",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of answers lost after the effect.",
)
@click.option("--seed", default=1, show_default=True, type=int, help="The same seed gives the same faults.")
def simulate(
    host: str, port: int, distinct_api_key: str, client_api_key: str, latency_ms: float,
    throttle_rate: float, error_rate: float, drop_rate: float, lost_rate: float, seed: int,
) -> None:  # fmt: skip
    """Serve Distinct User Analytics and the Client API locally: as strict as their pages, with faults to
    order.

    GET /_simulator/ledger shows what was accepted and refused, PUT /_simulator/faults changes the faults
    while it runs.
    """
    faults = ApiFaults(
        latency_ms=latency_ms,
        rate_429=throttle_rate,
        rate_500=error_rate,
        rate_drop=drop_rate,
        rate_lost_response=lost_rate,
    )
    config = SimulatorConfig(
        distinct_api_key=distinct_api_key,
        client_api_key=client_api_key,
        host=host,
        port=port,
        faults=FaultPlan(seed=seed, user_analytics=faults, client_api=faults),
    )
    uvloop.run(_serve(config))


async def _serve(config: SimulatorConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)

    def ready(server: SimulatorServer) -> None:
        click.echo(
            f"simulating on {server.base_url}  (what it accepted: {server.base_url}/_simulator/ledger)",
            err=True,
        )

    await serve(config, ready=ready, stop=stop)
