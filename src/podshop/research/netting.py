"""What netting, the buffer and the cost gate save: the same fund over the same period, with and without each.

`podshop costs` shows it, and `podshop.research.costs_page` puts it into docs/costs.md.

*Netting* is taken away on paper: every lot that a book traded, whether it crossed inside the fund or was part of a
joint order, pays the venue's taker fee as an order of its own. *The buffer* is taken away by running the fund again
with no band around the wished positions. *The cost gate* likewise, with no factor and a budget that nobody can spend.

Left out: without netting some orders would be below the venue's smallest, and each would move the price by itself, so
fees alone are compared. A buffer changes what is held, not only what it costs: its run has other positions.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from podshop.ledger.settle import fee_of
from podshop.maths.compiled import original
from podshop.nouns import DAY_NS, Times, Whole, utc_text
from podshop.nouns.verdict import COST_BUDGET, COST_GATE, CROSS_FILL, MAKER_FILL, VENUE_FILL
from podshop.report.aggregate import Aggregator, ReportData
from podshop.report.stats import stats
from podshop.run.backtest import market_facts
from podshop.run.config.sections import Fund
from podshop.run.loop import Run
from podshop.run.opinions import Progress, seats
from podshop.run.tables import Columns
from podshop.run.trials import counted
from podshop.run.world import World

NO_LIMIT = 1000.0  # a cost budget of a thousand times the capital a year
GATES = ("with_gate", "without_gate")
CASES = {
    "netting_and_buffer": "netting and buffer",
    "buffer_alone": "buffer alone: each book by itself",
    "netting_alone": "netting alone: no buffer",
    "neither": "neither",
}
AHEAD_DAYS = 30  # of a budget that may be spent before its time
DAYS_A_YEAR = 365

Table = dict[str, Any]


def costs(fund: Fund, world: World, progress: Progress) -> Table:
    """Run a fund as it is and without its buffers, and both again without its cost gate.

    ->  what `podshop costs --json` prints. fees: with and without the gate, case -> fees in USD, `times` those with
        netting and buffer, `traded` USD at the reference. mandates: a row for each agent; its shadow in fractions of
        its capital (`net` over the period, `costs` a year), its book in USD; costs are fees and slippage
    """
    times = world.decision_times()
    bare = replace(fund, mandates=tuple(replace(m, cost_factor=0.0, cost_budget=NO_LIMIT) for m in fund.mandates))
    funds = {
        "with_gate": fund,
        "without_gate": bare,
        "with_gate, no buffer": _without_buffer(fund),
        "without_gate, no buffer": _without_buffer(bare),
    }
    tried = counted("costs", fund, world, tuple(funds))
    runs = {}
    for i, (name, one) in enumerate(funds.items()):
        runs[name] = _Done(one, world, times, _part(progress, i, len(funds), name.replace("_", " ")))
    return {
        "fund": fund.name,
        "simulated": world.simulated,
        "period": {
            "since": utc_text(int(times[0])),
            "until": utc_text(int(times[-1])),
            "interval": fund.market.interval,
            "days": (int(times[-1]) - int(times[0])) / DAY_NS,
        },
        "net": True,
        "trials": len(runs),
        "trials_note": tried.note,
        "fees": {gate: _fees(runs[gate], runs[f"{gate}, no buffer"]) for gate in GATES},
        "totals": {gate: runs[gate].total() for gate in GATES},
        "mandates": [
            {
                "name": mandate.name,
                "horizon": mandate.horizon,
                "cost_budget": mandate.cost_budget,
                "cost_factor": mandate.cost_factor,
            }
            | {gate: runs[gate].mandate(b, mandate.cost_budget) for gate in GATES}
            for b, mandate in enumerate(fund.mandates)
        ],
    }


def _without_buffer(fund: Fund) -> Fund:
    return replace(fund, mandates=tuple(replace(m, buffer=0.0) for m in fund.mandates))


def _fees(buffered: "_Done", bare: "_Done") -> Table:
    """Fees with and without netting, of the run with the buffer and of that without."""
    cases = {
        "netting_and_buffer": buffered.fees(),
        "buffer_alone": buffered.fees(alone=True),
        "netting_alone": bare.fees(),
        "neither": bare.fees(alone=True),
    }
    base = cases["netting_and_buffer"]["fees"]
    return {case: row | {"times": row["fees"] / base if base else None} for case, row in cases.items()}


def fee_alone(columns: Columns, taker_fee_bps: float) -> int:
    """Micro-dollars that these fills would have paid as orders of their own: the taker fee, rounded up for each.

    columns  of the table of fills; settlements and what the house takes over pay nothing, with or without netting
    """
    own = np.isin(columns["kind"], (VENUE_FILL, CROSS_FILL, MAKER_FILL))
    lots, price = columns["lots"][own], columns["price_micro"][own]
    fees: Whole = np.asarray(original(fee_of)(lots, price, round(taker_fee_bps * 1e4)))
    return int(fees.sum())


class _Done:
    """A run that is over: its sums, and what its fills would have paid one by one."""

    def __init__(self, fund: Fund, world: World, times: Times, progress: Progress) -> None:
        books = tuple(mandate.name for mandate in fund.mandates)
        self._sums = Aggregator(books, fund.market.markets, int(times[0]), int(times[-1]))
        self._taker_fee_bps = fund.venue.taker_fee_bps
        self._alone = 0
        facts = market_facts(fund, world.market, world.funding)
        self._run = Run(fund, facts, seats(world.market, fund.signals, fund.confidence), self)
        self._run.run(times, progress)
        self._data: ReportData = self._sums.gather()
        self._years = (int(times[-1]) - int(times[0])) / (DAYS_A_YEAR * DAY_NS)
        self._last_mark: Whole = facts.mark[facts.row(int(times[-1]))]

    def write(self, table: str, columns: Columns, /) -> None:
        """Take rows in, as a recorder would."""
        self._sums.add(table, columns)
        if table == "fills":
            self._alone += fee_alone(columns, self._taker_fee_bps)

    def fees(self, *, alone: bool = False) -> dict[str, float]:
        micro = self._alone if alone else int(self._data.fees.sum())
        return {"fees": micro / 1e6, "traded": int(self._data.trading.by_market["traded"].sum()) / 1e6}

    def total(self) -> Table:
        """Of the whole fund, USD, and its annual Sharpe ratio with the 90 % interval; None under 30 days."""
        nav, each = self._data.nav, self._data.costs_usd()
        figures = stats(nav["time"], nav["nav_micro"])
        return {
            "net": (int(nav["nav_micro"][-1]) - int(nav["nav_micro"][0])) / 1e6,
            "costs": each["fees"] + each["slippage"],
            "funding_paid": -each["funding"],
        } | {key: figures[key] for key in ("sharpe", "sharpe_low", "sharpe_high")}

    def mandate(self, b: int, cost_budget: float) -> Table:
        """One agent: its shadow as fractions of capital, its book in USD."""
        data, shadow = self._data, self._run.shadows.books[b]
        reference = self._run.terms.reference_micro
        own = [data.markets.index(name) for name in self._run.file.mandates[b].markets]
        worth = int(shadow.cash[0]) + int((shadow.lots * self._last_mark[own]).sum())
        spent = int(shadow.spent.sum()) / reference
        net = data.price_pnl + data.funding - data.fees - data.slippage
        return {
            "shadow_net": worth / reference - 1,
            "shadow_costs": spent / self._years,
            "within_budget": spent <= cost_budget * (self._years + AHEAD_DAYS / DAYS_A_YEAR),
            "book_net": int(net[:, b].sum()) / 1e6,
            "book_costs": int((data.fees + data.slippage)[:, b].sum()) / 1e6,
            "held_back": int(data.book_verdicts[[COST_GATE, COST_BUDGET], b].sum()),
        }


def _part(progress: Progress, i: int, count: int, name: str) -> Progress:
    """Progress of one run as a part of all."""
    return lambda done, total, text: progress(i * total + done, count * total, f"{name}: {text}")
