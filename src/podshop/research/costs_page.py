"""The tables of docs/costs.md, from the fund and the history they speak of.

    python -m podshop.research.costs_page FILE FUND DATA

puts them into FILE: two and a half years, the same that the other pages tell of.
"""

import sys
from pathlib import Path

from podshop.nouns import DAY_NS
from podshop.research.cost_gate import put
from podshop.research.netting import CASES, GATES, Table, costs
from podshop.run.config import load
from podshop.run.world import read_world

SINCE_NS, UNTIL_NS = 18_993 * DAY_NS, 19_905 * DAY_NS  # 2022-01-01, 2024-07-01


def fees_table(found: Table) -> str:
    """Fees of the four cases in markdown, and what they come to."""
    on, off = (found["fees"][gate] for gate in GATES)
    lines = ["| fees, USD | with the cost gate | times | without it | times |", "|---|---|---|---|---|"]
    lines += [
        f"| {text} | {on[case]['fees']:,.0f} | {on[case]['times']:.2f} | {off[case]['fees']:,.0f} | "
        f"{off[case]['times']:.2f} |"
        for case, text in CASES.items()
    ]
    without_any = off["neither"]["fees"] / on["netting_and_buffer"]["fees"]
    told = (
        f"Without netting and buffer the fund would pay {on['neither']['times']:.1f} times its fees; without the gate "
        f"too, {without_any:.0f} times."
    )
    return "\n".join([*lines, "", told, ""])


def gate_table(found: Table) -> str:
    """What each agent earned and cost with the gate and without, in markdown, and who spent too much."""
    lines = [
        "| agent | budget | net | costs | book net | book costs | held | no gate: net | costs | book net | costs |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found["mandates"]:
        on, off = (_cells(row[gate]) for gate in GATES)
        held = row["with_gate"]["held_back"]
        lines.append(f"| {row['name']} | {100 * row['cost_budget']:.1f} | {on} | {held:,} | {off} |")
    on, off = (f"{found['totals'][gate]['net']:,.0f} | {found['totals'][gate]['costs']:,.0f}" for gate in GATES)
    lines.append(f"| the fund | | | | {on} | | | | {off} |")
    over = {
        gate: [row["name"] for row in found["mandates"] if not row[gate]["within_budget"]] or ["nobody"]
        for gate in GATES
    }
    told = (
        f"Over their budget with the gate: {', '.join(over['with_gate'])}; without: {', '.join(over['without_gate'])}."
    )
    sharpe = " and ".join(f"{_sharpe(found['totals'][gate])} {gate.replace('_', ' the ')}" for gate in GATES)
    return "\n".join([*lines, "", f"{told} Sharpe ratio of the fund, net, with 90 % interval: {sharpe}.", ""])


def _sharpe(total: Table) -> str:
    if total["sharpe_low"] is None:
        return "unknown"
    return f"{total['sharpe']:.2f} ({total['sharpe_low']:.2f} to {total['sharpe_high']:.2f})"


def _cells(row: Table) -> str:
    return (
        f"{100 * row['shadow_net']:z.1f} | {100 * row['shadow_costs']:z.2f} | {row['book_net']:z,.0f} | "
        f"{row['book_costs']:z,.0f}"
    )


def found_in(fund: Path, data: Path) -> Table:
    """What `podshop costs` finds over the period of the page."""
    read = load(fund)
    return costs(read, read_world(read, data, SINCE_NS, UNTIL_NS), lambda *_: None)


def main(file: Path, fund: Path, data: Path) -> None:
    """Run and write."""
    found = found_in(fund, data)
    put(file, "fees", fees_table(found))
    put(file, "gate", gate_table(found))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
