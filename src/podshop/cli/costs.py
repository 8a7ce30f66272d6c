"""podshop costs"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer, progress
from podshop.nouns import utc_ns


def costs(
    fund: Annotated[Path, Parameter(help="Fund file, TOML.")],
    /,
    *,
    data: Annotated[Path, Parameter(help="Folder of history.")],
    since: Annotated[datetime | None, Parameter(help="First day, UTC, such as 2022-01-01.")] = None,
    until: Annotated[datetime | None, Parameter(help="First day no longer traded, UTC.")] = None,
    json: AsJson = False,
) -> None:
    """Show what netting, the buffer and the cost gate save: the same fund four times, with and without."""
    from podshop.research import netting
    from podshop.run.config import load
    from podshop.run.world import read_world

    read = load(fund)
    world = read_world(read, data, *(None if day is None else utc_ns(day) for day in (since, until)))
    with progress() as show:
        result = netting.costs(read, world, show)
    answer(result, "\n".join(_lines(result, netting.CASES)), as_json=json)


def _lines(result: dict[str, Any], cases: dict[str, str]) -> list[str]:
    """The answer as two tables."""
    period = result["period"]
    simulated = ["SIMULATED EXCHANGE: not performance"] if result["simulated"] else []
    return [
        f"{result['fund']}: {period['since'][:10]} to {period['until'][:10]}, every {period['interval']}",
        *simulated,
        "",
        *_fees(result["fees"], cases),
        "",
        *_gate(result),
    ]


def _fees(fees: dict[str, Any], cases: dict[str, str]) -> list[str]:
    width = max(map(len, cases.values()))
    part = f"  {'fees, USD':>12}{'times':>9}{'traded, USD':>15}"
    return [
        f"{'what netting and the buffer save':<{width}}  {'with the cost gate':<36}  without it",
        f"{'':<{width}}{part}{part}",
        *(
            f"{text:<{width}}{_case(fees['with_gate'][case])}{_case(fees['without_gate'][case])}"
            for case, text in cases.items()
        ),
    ]


def _case(row: dict[str, Any]) -> str:
    times = f"{'unknown':>9}" if row["times"] is None else f"{row['times']:>9.2f}"
    return f"  {row['fees']:>12,.2f}{times}{row['traded']:>15,.0f}"


def _gate(result: dict[str, Any]) -> list[str]:
    """Shadows in percent of their capital, books in USD."""
    mandates = result["mandates"]
    width = max(len("the whole fund"), *(len(row["name"]) for row in mandates))
    part = f"{'net, %':>8}{'costs':>7}  {'book net':>9}{'costs':>8}"
    lines = [
        f"{'what the cost gate does':<{width}}          with the gate{'':<27}without",
        f"{'agent':<{width}}  budget{part}  {'held':>5}  {part}",
    ]
    for row in mandates:
        on, off = row["with_gate"], row["without_gate"]
        over = "" if on["within_budget"] else "  over its budget"
        budget = 100 * row["cost_budget"]
        lines.append(f"{row['name']:<{width}}{budget:>8.1f}{_agent(on)}  {on['held_back']:>5,}  {_agent(off)}{over}")
    on, off = (result["totals"][name] for name in ("with_gate", "without_gate"))
    blank = f"{'':>15}"
    lines.append(
        f"{'the whole fund':<{width}}{'':>8}{blank}  {on['net']:>9,.0f}{on['costs']:>8,.0f}  {'':>5}  "
        f"{blank}  {off['net']:>9,.0f}{off['costs']:>8,.0f}"
    )
    return [
        *lines,
        "",
        "net of all costs; costs are fees and slippage. An agent's shadow: net in % of its capital over the period,",
        "budget and costs in % of it a year. Its book in the fund: USD. Held: larger positions that were refused.",
    ]


def _agent(row: dict[str, Any]) -> str:
    return (
        f"{100 * row['shadow_net']:>z8.1f}{100 * row['shadow_costs']:>z7.2f}  {row['book_net']:>z9,.0f}"
        f"{row['book_costs']:>z8,.0f}"
    )
