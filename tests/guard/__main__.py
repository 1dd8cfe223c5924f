"""`python -m tests.guard [WORKLOAD]`: the calls of a record by stage, and who makes them; `--write` keeps them."""

import click

from tests.guard import budget
from tests.guard.calls import measure


@click.command()
@click.argument("workload", type=click.Choice(budget.WORKLOADS), required=False)
@click.option("--write", is_flag=True, help="Write down what is measured as what is allowed from now on.")
@click.option("--functions", default=8, show_default=True, help="How many of each stage.")
def show(workload: str | None, write: bool, functions: int) -> None:
    """What a record costs in calls, beside what is written down."""
    if write:
        budget.write()
    for name in [workload] if workload else budget.WORKLOADS:
        cost, allowed = measure(name), budget.read().allowances[name]
        total = sum(cost.calls.values()), sum(allowed.calls.values())
        click.echo(f"{name}: {total[0]:.1f} calls a record ({total[0] - total[1]:+.1f}), ", nl=False)
        click.echo(f"{cost.blocks:.1f} blocks of memory while it waits ({cost.blocks - allowed.blocks:+.1f})")
        for stage, calls in cost.calls.items():
            click.echo(f"  {stage:20} {calls:7.2f}  {calls - allowed.calls.get(stage, 0.0):+.2f}")
            for what, number in cost.dearest.get(stage, [])[:functions]:
                click.echo(f"      {number:7.2f}  {what}")


if __name__ == "__main__":
    show()
