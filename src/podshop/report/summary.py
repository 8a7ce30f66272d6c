"""A run in a screen of words: what it earned, what that is worth as evidence, and what it cost."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from podshop.report.sections import NOT_COUNTED
from podshop.report.stats import CONFIDENCE
from podshop.report.var_test import verdict

SIMULATED = (
    "SIMULATED EXCHANGE: these prices never were. The figures show how the fund works; they are not performance."
)
SHOWN_CODES = 6
DAYS_PER_YEAR = 365
TAIL = 0.05  # the limit is on 1-day 95 % value at risk: one day in twenty may lose more


def summary(result: Mapping[str, Any]) -> str:
    """Write the result of a backtest for a terminal.

    result  what `podshop backtest --json` prints: NAV and costs in USD, returns and limits as fractions, funding as
            the fund's income (negative = paid), period as UTC text, `simulated` true or false, `trials` None where
            nobody counted them; a figure that is unknown is None or NaN
    """
    parts = [_head(result), _earned(result), _costs(result), _risk(result), _orders(result), _foot(result)]
    return "\n".join(line for part in parts for line in part)


def _head(result: Mapping[str, Any]) -> list[str]:
    period = result["period"]
    title = f"{result['fund']}: {_day(period['since'])} to {_day(period['until'])}, every {period['interval']}"
    return [f"{title}, {period['cycles']:,} cycles", *([SIMULATED] if result["simulated"] else []), ""]


def _earned(result: Mapping[str, Any]) -> list[str]:
    nav, stats = result["nav"], result["stats"]
    years = _days(result["period"]) / DAYS_PER_YEAR
    note, dsr = result.get("trials_note") or NOT_COUNTED, result.get("deflated", {}).get("dsr")
    trials = note if result["trials"] is None else f"{result['trials']:,}"
    deflated = f"deflated {_number(dsr)}: the chance that it is more than the best luck of {trials} trials"
    return [
        _row("NAV", f"{nav['start']:,.2f} -> {nav['end']:,.2f} USD"),
        _row("return", f"{_percent(stats['return'], sign=True)} net of all costs in {years:.2f} years of 365 days"),
        _row("", f"{_percent(stats['gross_return'], sign=True)} gross: before fees, slippage and funding"),
        _row("volatility", f"{_percent(stats['volatility'])} a year"),
        _row(
            "Sharpe",
            f"{_number(stats['sharpe'])} net; {100 * CONFIDENCE:.0f} % interval {_number(stats['sharpe_low'])} to "
            f"{_number(stats['sharpe_high'])}; trials {trials}",
        ),
        *([] if dsr is None else [_row("", deflated)]),
        _row("drawdown", f"{_percent(stats['max_drawdown'])} at worst"),
    ]


def _costs(result: Mapping[str, Any]) -> list[str]:
    costs = result["costs"]
    assumed = {name: share for name, share in result["assumed_funding_share"].items() if share > 0}
    rows = [
        _row("costs", f"fees {costs['fees']:,.2f}, slippage {costs['slippage']:,.2f} USD"),
        _row("funding", f"{'received' if costs['funding'] >= 0 else 'paid'} {abs(costs['funding']):,.2f} USD"),
    ]
    if assumed:
        worst = ", ".join(f"{name} {_percent(share)}" for name, share in sorted(assumed.items(), key=lambda x: -x[1]))
        rows.append(_row("", f"of it assumed, where nobody has a record of the hour: {worst}"))
    rows.append(_row("crossing", f"saved {costs['crossing_saved']:,.2f} USD, no part of NAV"))
    return rows + _shortfall(result["tca"]["total"])


def _shortfall(total: Mapping[str, Any]) -> list[str]:
    """What trading cost against a portfolio on paper."""
    parts = ", ".join(
        f"{name} {total[key]:,.2f}"
        for name, key in (
            ("delay", "delay"),
            ("half-spread", "half_spread"),
            ("impact", "impact"),
            ("fees", "fee"),
            ("opportunity", "opportunity"),
        )
    )
    bps = f", {_number(total['bps'])} bps of {total['traded']:,.0f} traded" if total["traded"] else ""
    return [_row("shortfall", f"{total['shortfall']:,.2f} USD against paper{bps}"), _row("", parts)]


def _risk(result: Mapping[str, Any]) -> list[str]:
    var = result["var"]
    return [
        _row("VaR", f"1 day 95 %: limit {_percent(var['limit'])} of NAV, highest {_percent(var['worst'])}"),
        _row("", f"{var['breaches']:,} of {var['days']:,} days lost more; {var['days'] * TAIL:,.0f} would be usual"),
        _row(
            "", f"tested by Kupiec and Christoffersen: {'; '.join(verdict(level) for level in var['test']['levels'])}"
        ),
    ]


def _orders(result: Mapping[str, Any]) -> list[str]:
    orders, books = result["orders"], result["books"]
    by_code = sorted(orders["by_code"].items(), key=lambda item: -item[1])
    shown = ", ".join(f"{code} {count:,}" for code, count in by_code[:SHOWN_CODES])
    more = f" and {len(by_code) - SHOWN_CODES} other codes" if len(by_code) > SHOWN_CODES else ""
    rows = [
        _row(
            "orders",
            f"{orders['wanted']:,} wanted: {orders['approved']:,} approved, {orders['shrunk']:,} shrunk, "
            f"{orders['vetoed']:,} vetoed",
        )
    ]
    if shown:
        rows.append(_row("", f"{shown}{more}"))
    rows.append(
        _row(
            "books",
            f"{books['count']} and the house; they differ from the venue by {books['residual_lots']} lots and "
            f"{books['residual_micro']} micro-dollars",
        )
    )
    return rows


def _foot(result: Mapping[str, Any]) -> list[str]:
    speed = result["speed"]
    return [
        *(_row("note" if i == 0 else "", note) for i, note in enumerate(result.get("notes", []))),
        _row("decisions", f"sha256 {result['decisions_sha256']}"),
        _row(
            "speed",
            f"{speed['seconds']:.1f} s, of which compiling {speed['compile_seconds']:.1f} s; "
            f"{speed['cycles_per_second']:,.0f} cycles a second, {speed['peak_rss_mb']:,.0f} MB",
        ),
    ]


def _row(name: str, text: str) -> str:
    return f"  {name:<11} {text}"


def _days(period: Mapping[str, Any]) -> float:
    since, until = (datetime.fromisoformat(period[key]) for key in ("since", "until"))
    return (until - since).total_seconds() / 86_400


def _day(text: str) -> str:
    return text.removesuffix("T00:00:00Z")


def _number(value: float | None) -> str:
    """Two digits, or the word for what is not known."""
    return "unknown" if value is None or math.isnan(value) else f"{value:.2f}"


def _percent(value: float | None, *, sign: bool = False) -> str:
    if value is None or math.isnan(value):
        return "unknown"
    return f"{100 * value:{'+' if sign else ''}.2f} %"
