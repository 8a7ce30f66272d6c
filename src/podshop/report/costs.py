"""What trading cost, as the JSON and the report show it: per agent, per market, per month."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from podshop.nouns import DAY_NS, Panel, Whole
from podshop.nouns.verdict import CODE_NAMES, COST_BUDGET, COST_GATE
from podshop.report.aggregate import ReportData
from podshop.report.chart import Chart, Series, chart
from podshop.report.shortfall import PARTS

Row = dict[str, Any]

EXPLICIT = ("fee", "half_spread", "impact")  # what a cost budget is spent on
DAYS_A_YEAR = 365
BAR, STEP = 0.7, 1e-3  # share of a month that its bar is wide; what ends a bar, as a share of a month


def tca(data: ReportData, budget: Mapping[str, float]) -> Row:
    """Transaction cost analysis, in USD; costs > 0 are lost, funding > 0 is paid.

    budget  agent -> most that its trading may cost a year, as a fraction of its capital
    ->      total, by_agent and by_market: PARTS, their sum `shortfall`, `traded` (sum of |lots| x reference) and the
            shortfall in `bps` of it; beside them `funding` and `crossing_saved`. An agent also has its cost_budget,
            what it spent of it as a fraction of capital a year (`spent`), and how often its shadow was held back, by
            code. residual_micro: what is left of paper - book - shortfall, summed without sign: 0 = it adds up
    """
    by_market = data.trading.by_market
    each = {name: _money({key: sums[b] for key, sums in by_market.items()}) for b, name in enumerate(data.books)}
    for b, name in enumerate(data.books):
        if name in budget:
            each[name] |= {
                "cost_budget": budget[name],
                "spent": _spent(data, b),
                "held_back": {CODE_NAMES[code]: int(data.book_verdicts[code, b]) for code in (COST_GATE, COST_BUDGET)},
            }
    markets = {
        name: _money({key: sums[:, m] for key, sums in by_market.items()}) for m, name in enumerate(data.markets)
    }
    return {
        "total": _money(by_market),
        "by_agent": each,
        "by_market": markets,
        "residual_micro": int(np.abs(data.trading.residual_micro).sum()),
        "days": len(data.day),
    }


def _money(micro: Mapping[str, Whole]) -> Row:
    """USD of one row of the table."""
    usd = {key: int(micro[key].sum()) / 1e6 for key in (*PARTS, "shortfall", "funding", "traded")}
    bps = 1e4 * usd["shortfall"] / usd["traded"] if usd["traded"] else None
    return usd | {"crossing_saved": int(micro["saved"].sum()) / 1e6, "bps": bps}


def _spent(data: ReportData, b: int) -> float | None:
    """Fees and slippage of a book, as a fraction of its capital a year; None where it never had any."""
    since, until = int(data.nav["time"][0]), int(data.nav["time"][-1])
    lasted = np.minimum(data.day + DAY_NS, until) - np.maximum(data.day, since)
    capital_years = float((data.capital_micro[:, b] * (lasted / DAY_NS)).sum()) / DAYS_A_YEAR
    spent = sum(int(data.trading.by_market[part][b].sum()) for part in EXPLICIT)
    return spent / capital_years if capital_years > 0 else None


def tables(result: Mapping[str, Any]) -> Row | None:
    """The rows of the report, the dearest market first; None where a result has no analysis."""
    told = result.get("tca")
    if told is None:
        return None
    agents = [
        {"name": name, "share": _share(row), "held": sum(row.get("held_back", {}).values()), "budget": None, **row}
        for name, row in told["by_agent"].items()
        if row["traded"] or "cost_budget" in row
    ]
    markets = [{"name": name, **row} for name, row in told["by_market"].items()]
    markets.sort(key=lambda row: -row["shortfall"])
    return {"agents": agents, "markets": markets, "total": told["total"], "residual": told["residual_micro"]}


def _share(row: Mapping[str, Any]) -> float | None:
    """Share of the cost budget that was used."""
    if not row.get("cost_budget") or row["spent"] is None:
        return None
    return float(row["spent"] / row["cost_budget"])


def by_month(data: ReportData) -> Chart:
    """Bars of what fees, half-spread and impact took each month, and the whole shortfall as a line."""
    month = data.day.astype("datetime64[ns]").astype("datetime64[M]")
    starts, of = np.unique(month, return_inverse=True)
    sums = {name: np.zeros(len(starts)) for name in (*PARTS, "shortfall")}
    for name, total in sums.items():
        np.add.at(total, of, data.trading.by_day[name].sum(axis=1) / 1e6)
    explicit = sum((sums[name] for name in EXPLICIT), np.zeros(len(starts)))
    begin = starts.astype("datetime64[ns]").astype(np.int64)
    length = (starts + 1).astype("datetime64[ns]").astype(np.int64) - begin
    return chart(
        "Cost of trading, by month",
        f"{len(starts)} months; the shortfall of all is {sums['shortfall'].sum():,.0f} dollars",
        [
            Series(*_boxes(begin, length, explicit), "cost", "fees, half-spread and impact", draw="area"),
            Series(begin + length // 2, sums["shortfall"], "b", "whole shortfall"),
        ],
        lambda v: f"${v:,.0f}".replace("$-", "−$"),
        bounds=(0.0, 1.0),
        ticks=3,
    )


def _boxes(begin: Whole, length: Whole, value: Panel) -> tuple[Whole, Panel]:
    """A series that, drawn as an area, is a box in the middle of each month."""
    middle, half = begin + length // 2, (length * (BAR / 2)).astype(np.int64)
    time = np.stack([middle - half, middle + half, middle + half + (length * STEP).astype(np.int64)], axis=1)
    known = np.stack([value, value, np.full(len(value), np.nan)], axis=1)
    return time.ravel(), known.ravel()
