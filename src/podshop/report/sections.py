"""What each section of the report shows: plain values for the template, which only lays them out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from podshop.nouns import DAY_NS, SECOND_NS, Panel
from podshop.nouns.verdict import CODE_NAMES, CODES, VERDICTS
from podshop.report.aggregate import ReportData
from podshop.report.chart import Chart, Series, chart
from podshop.report.silence import MOSTLY, silent_lines
from podshop.report.var_test import TOO_FEW, var_test

Row = dict[str, Any]
NOT_COUNTED = "not counted before the trials ledger"


def sharpe(result: Mapping[str, Any]) -> Row:
    """The words that stand beside every Sharpe ratio."""
    low, high = result["stats"]["sharpe_low"], result["stats"]["sharpe_high"]
    trials, dsr = result["trials"], result.get("deflated", {}).get("dsr")
    counted = result.get("trials_note") or NOT_COUNTED if trials is None else f"{trials:,}"
    proves = None if low is None else "includes zero" if low <= 0 <= high else "above zero" if low > 0 else "below zero"
    return {"trials": counted + ("" if dsr is None else f"; deflated {dsr:.2f}"), "proves": proves, "dsr": dsr}


def charts(result: Mapping[str, Any], data: ReportData) -> dict[str, Chart]:
    """The charts over time, by name."""
    nav, limits = data.nav, result.get("limits", {})
    time = nav["time"]
    money = nav["nav_micro"] / 1e6
    start = np.full(2, money[0])
    ends = time[[0, -1]]
    exposure = [
        Series(time, nav["gross"], "a", "gross"),
        Series(time, nav["net"], "b", "net"),
    ]
    if "max_gross" in limits:
        exposure.append(Series(ends, np.full(2, float(limits["max_gross"])), "limit", "gross limit"))
    return {
        "nav": chart(
            "Net asset value, after all costs",
            f"NAV from {money[0]:,.0f} to {money[-1]:,.0f} dollars",
            [Series(ends, start, "base"), Series(time, money, "a", "NAV")],
            lambda v: f"${v:,.0f}",
        ),
        "drawdown": chart(
            "Drawdown from the highest NAV so far",
            f"worst {100 * float(nav['drawdown'].max()):.1f} percent",
            [Series(time, -nav["drawdown"], "loss-area", draw="area"), Series(time, -nav["drawdown"], "loss")],
            _percent,
            bounds=(-0.001, 0.0),
            ticks=3,
        ),
        "exposure": chart(
            "Exposure, share of NAV", "gross and net exposure over time", exposure, _percent, bounds=(0.0, 0.01)
        ),
        "var": _var_chart(data),
    }


def _var_chart(data: ReportData) -> Chart:
    """Days as shares of the NAV they began with: quiet ones, those beyond the VaR, and the VaR itself."""
    known = data.var_micro > 0
    nav = _nav_at_midnight(data)
    pnl, var = np.where(known, data.clean_pnl / nav, np.nan), np.where(known, data.var_micro / nav, np.nan)
    breach = -pnl > var
    return chart(
        "One-day value at risk (95 %) against the next day's clean P&L",
        f"{int(breach.sum())} breaches",
        [
            Series(data.day, np.where(breach, np.nan, pnl), "bar", "P&L of the lots held at 00:00", draw="bars"),
            Series(data.day, np.where(breach, pnl, np.nan), "bar-breach", "beyond VaR", draw="bars"),
            Series(data.day, -var, "limit", "VaR, as a loss"),
        ],
        _percent,
        bounds=(-0.001, 0.001),
    )


def var_tests(data: ReportData) -> list[Row]:
    """One table for each level of VaR: a row per year, the last 250 days and all days, and what a worse VaR scored."""
    return [
        {
            "level": level["level"],
            "rows": [_var_row(period) for period in level["periods"] if period["days"]],
            "needed": level["days_needed"],
            "control": level["control"],
        }
        for level in var_test(data)["levels"]
    ]


def _var_row(period: Mapping[str, Any]) -> Row:
    fewest, most = period["accepted"]
    chance = f" (power {100 * period['power']:.0f} %)" if period["verdict"] == TOO_FEW else ""
    return {
        **{key: period[key] for key in ("name", "days", "exceedances", "expected", "zone")},
        "accepted": f"{fewest} to {most}",
        "p": [period[test]["p"] for test in ("kupiec", "independence", "joint")],
        "verdict": period["verdict"] + chance + (f": {', '.join(period['why'])}" if period["why"] else ""),
        "rejected": bool(period["why"]),
    }


def _nav_at_midnight(data: ReportData) -> Panel:
    """(D,) NAV in micro-dollars of each day's 00:00 row; NaN where there is none."""
    nav = np.full(len(data.day), np.nan)
    midnight = (data.nav["time"] % DAY_NS == 0) & (data.nav["time"] <= data.day[-1])
    nav[(data.nav["time"][midnight] - data.day[0]) // DAY_NS] = data.nav["nav_micro"][midnight]
    return nav


def _net(data: ReportData) -> np.ndarray[Any, np.dtype[np.int64]]:
    return data.price_pnl + data.funding - data.fees - data.slippage


def small_multiples(data: ReportData) -> list[Row]:
    """Cumulative P&L of each book on one scale, as a share of the fund's first NAV; the house where it earned."""
    grown = _net(data).cumsum(axis=0) / data.nav["nav_micro"][0]
    bounds = (float(min(grown.min(), -1e-4)), float(max(grown.max(), 1e-4)))
    ends = data.day[[0, -1]] if len(data.day) > 1 else np.array([data.day[0], data.day[0] + DAY_NS])
    shown = [b for b in range(len(data.books)) if b < len(data.books) - 1 or np.any(grown[:, b] != 0)]
    return [
        {
            "name": data.books[b],
            "total": float(grown[-1, b]),
            "chart": chart(
                data.books[b],
                f"ends at {100 * grown[-1, b]:.1f} percent",
                [Series(ends, np.zeros(2), "base"), Series(data.day, grown[:, b], "a")],
                _percent,
                bounds=bounds,
                ticks=2,
                across=3,
            ),
        }
        for b in shown
    ]


def monthly_returns(data: ReportData) -> list[Row]:
    """Years of twelve months, None outside the run; its first and last month may be parts of months."""
    time, nav = data.nav["time"], data.nav["nav_micro"]
    month = (
        (time - 1).astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    )  # 00:00 of the 1st ends a month
    last = np.flatnonzero(np.append(np.diff(month) != 0, True))
    values = nav[last] / nav[np.append(0, last[:-1])] - 1
    by_month = dict(zip(month[last].tolist(), values.tolist(), strict=True))
    if last[0] == 0:
        del by_month[int(month[0])]  # the very first row ends a month nobody saw
    years = sorted({1970 + key // 12 for key in by_month})
    table = []
    for year in years:
        months = [by_month.get((year - 1970) * 12 + m) for m in range(12)]
        total = float(np.prod([1 + value for value in months if value is not None])) - 1
        table.append({"year": year, "months": [(value, _tint(value)) for value in months], "total": total})
    return table


def _tint(value: float | None) -> int:
    """Strength of a cell's colour in percent: full at 10 % a month."""
    return 0 if value is None else min(round(abs(value) * 1000), 100)


def books(data: ReportData) -> list[Row]:
    """One row per book: what it earned and what took it away, in USD."""
    net = _net(data)
    trading = np.isfinite(data.weight).any(axis=1)
    last = int(np.flatnonzero(trading)[-1]) if trading.any() else 0
    rows = []
    for b, name in enumerate(data.books):
        capital = data.capital_micro[:, b][data.capital_micro[:, b] > 0]
        mean = float(capital.mean()) if len(capital) else float("nan")
        house = b == len(data.books) - 1
        rows.append(
            {
                "name": name,
                "house": house,
                "price": data.price_pnl[:, b].sum() / 1e6,
                "funding": data.funding[:, b].sum() / 1e6,
                "fees": -data.fees[:, b].sum() / 1e6,
                "slippage": -data.slippage[:, b].sum() / 1e6,
                "net": net[:, b].sum() / 1e6,
                "return": net[:, b].sum() / mean if mean and not house else None,
                "weight": None if house else float(data.weight[last, b]),
                "throttled": None
                if house
                else float(np.mean(data.throttle[:, b][np.isfinite(data.throttle[:, b])] < 1)),
            }
        )
    return rows


def markets(result: Mapping[str, Any], data: ReportData) -> list[Row]:
    """One row per market, in USD, with the share of its hours whose funding was assumed."""
    pnl = data.market_pnl
    return [
        {
            "name": name,
            "price": pnl["price_pnl"][m] / 1e6,
            "funding": pnl["funding"][m] / 1e6,
            "fees": -pnl["fees"][m] / 1e6,
            "slippage": -pnl["slippage"][m] / 1e6,
            "net": (pnl["price_pnl"][m] + pnl["funding"][m] - pnl["fees"][m] - pnl["slippage"][m]) / 1e6,
            "turnover": data.trading.by_market["traded"][:, m].sum() / 1e6,
            "assumed": result["assumed_funding_share"].get(name),
        }
        for m, name in enumerate(data.markets)
    ]


def waterfall(result: Mapping[str, Any], data: ReportData) -> list[Row]:
    """From the P&L at mid prices to the P&L kept, in USD; left and width in percent of the widest stretch."""
    sums = data.costs_usd()
    steps = [
        ("price P&L at mids", sums["price_pnl"], "gain"),
        ("funding", sums["funding"], "step"),
        ("fees", -sums["fees"], "step"),
        ("slippage: half-spread and impact", -sums["slippage"], "step"),
    ]
    at, edges = 0.0, []
    for _, value, _ in steps:
        edges.append((at, at + value))
        at += value
    steps.append(("net P&L", at, "total"))
    edges.append((0.0, at))
    low, high = min(0.0, *(min(e) for e in edges)), max(0.0, *(max(e) for e in edges))
    span = (high - low) or 1.0
    return [
        {
            "name": name,
            "usd": value,
            "left": 100 * (min(edge) - low) / span,
            "width": max(100 * abs(edge[1] - edge[0]) / span, 0.4),
            "zero": -100 * low / span,
            "style": "total" if kind == "total" else "gain" if value >= 0 else "loss",
        }
        for (name, value, kind), edge in zip(steps, edges, strict=True)
    ]


def verdicts(data: ReportData) -> Row:
    """Verdicts on net orders by code, and on books' own limits."""
    orders = data.orders()
    total = orders["wanted"]
    rows = []
    for code, name in enumerate(CODE_NAMES):
        each, episodes = data.verdicts[:, code].sum(axis=1), data.episodes[:, code].sum()
        if each.sum():
            touched = np.argsort(-data.verdicts[:, code].sum(axis=0), kind="stable")
            seen = [data.markets[m] for m in touched if data.verdicts[:, code, m].sum()]
            rows.append(
                {
                    "code": name,
                    "meaning": CODES[name].partition(";")[0],
                    "counts": each.tolist(),
                    "total": int(each.sum()),
                    "share": float(each.sum() / total),
                    "episodes": int(episodes),
                    "markets": seen[:4],
                    "more": len(seen) - 4,
                }
            )
    rows.sort(key=lambda row: -row["total"])
    parts = [("approved", "gain"), ("shrunk", "step"), ("vetoed", "loss")]
    shares = [
        {"name": n, "style": s, "count": orders[n], "share": orders[n] / total if total else 0.0} for n, s in parts
    ]
    own = {CODE_NAMES[code]: int(n) for code, n in enumerate(data.book_verdicts.sum(axis=1)) if n}
    return {"orders": orders, "rows": rows, "shares": shares, "own": own}


def episodes(data: ReportData) -> list[Row]:
    """The longest stretches of the same refusal or cut."""
    return [
        {
            "market": data.markets[e.market],
            "verdict": VERDICTS[e.verdict],
            "code": CODE_NAMES[e.code],
            "cycles": e.cycles,
            "since": _minute(e.since_ns),
            "until": _minute(e.until_ns),
        }
        for e in data.longest
    ]


def _minute(at_ns: int) -> str:
    return str(np.datetime64(at_ns // SECOND_NS, "s").astype("datetime64[m]")).replace("T", " ")


def assumptions(result: Mapping[str, Any]) -> list[str]:
    """What a reader should know before believing any figure above."""
    assumed = {name: share for name, share in result["assumed_funding_share"].items() if share > 0}
    lines = list(result.get("notes", [])) + _silent(result.get("no_opinion", []))
    if assumed:
        worst = ", ".join(f"{name} {100 * share:.1f} %" for name, share in sorted(assumed.items(), key=lambda i: -i[1]))
        lines.append(
            f"Funding nobody has a record of is charged at an assumed rate, against the position: {worst} of hours."
        )
    elif result["assumed_funding_share"]:
        lines.append("Funding: every hour of every market is covered by a record.")
    lines.append(
        "Fills: at the next bar's open, with half-spread, square-root impact, taker fee and a cap on bar volume."
    )
    if not result["simulated"]:
        lines.append("The markets were chosen by people who knew this history: count that as trials.")
    if "operator" in result:
        lines.append(f"Operator who lowers REDUCE_ONLY and HALTED in this backtest: {result['operator']}.")
    if result.get("first_tradable"):
        lines.append(f"First tradable: {result['first_tradable']}.")
    return lines


def _silent(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which agents had no opinion for a fifth of the time or more, when and why."""
    agents = dict.fromkeys(row["agent"] for row in rows)
    return [
        f"No opinion of {agent}: {line}."
        for agent in agents
        for line in silent_lines([row for row in rows if row["agent"] == agent], MOSTLY)
    ]


def _percent(value: float) -> str:
    digits = 0 if abs(value * 100 - round(value * 100)) < 1e-9 else 1 if abs(value * 1000 % 1) < 1e-9 else 2
    return f"{100 * value:.{digits}f} %".replace("-", "−")
