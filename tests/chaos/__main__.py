"""`python -m tests.chaos --seconds 60 --seed 7`: random faults by seed, then the books; exits 1 where they differ."""

import shutil
import sys

import click
import orjson

from tests.brokers.kafka_libs import fetch_kafka_libs, java_and_maven_lack
from tests.chaos.act import Kind
from tests.chaos.run import ChaosRun
from tests.chaos.schedule import schedule
from tests.chaos.summary import as_json, print_tables


@click.command()
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(min=20))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option("--rate", default=300.0, show_default=True, help="Records a second.")
@click.option(
    "--only", multiple=True, type=click.Choice([kind.name for kind in Kind]), help="These faults alone."
)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--quiet", is_flag=True, help="No progress.")
def chaos(seconds: float, seed: int, rate: float, only: tuple[str, ...], output: str, quiet: bool) -> None:
    """Three consumers on one ledger file, a real broker, a registry and receivers: everything fails at random.

    The schedule depends on the seed alone, and is printed first. Afterwards all must settle, and the checker, which
    shares nothing with the consumers, judges by topic, receivers, dead letters and commits.
    """
    lacks = java_and_maven_lack()
    if lacks is not None:
        raise click.ClickException(f"chaos restarts a broker of its own, and needs Java and Maven: {lacks}")
    kinds = [Kind[name] for name in only] or list(Kind)
    acts = schedule(seed, seconds, kinds)
    if not quiet:
        click.echo(f"chaos: {seconds:g} s, seed {seed}: {len(acts)} faults", err=True)
        for act in acts:
            click.echo(str(act), err=True)
    finished = ChaosRun(acts, seconds=seconds, seed=seed, rate=rate, quiet=quiet).play(fetch_kafka_libs())
    out = as_json(finished, seed=seed, seconds=seconds)
    if output == "json":
        sys.stdout.buffer.write(orjson.dumps(out, option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.flush()
    else:
        print_tables(out)
    if finished.balanced:
        shutil.rmtree(finished.logs, ignore_errors=True)
        return
    click.echo(f"logs: {finished.logs}; again: make chaos SECONDS={seconds:g} SEED={seed}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    chaos()
