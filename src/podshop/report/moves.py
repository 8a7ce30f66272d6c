"""Why capital moved: each transfer of a midnight taken apart into what the allocator changed and what it evened out."""

from typing import Any

import numpy as np

from podshop.nouns import DAY_NS, Panel, utc_text
from podshop.report import capital
from podshop.report.accounts import DEPOSIT, Record
from podshop.report.stats import DAYS_A_YEAR

EVIDENCE_DAYS = 30  # of shadow returns shown beside a move
SAME = 1e-12  # weights closer than this are the same


def moves(record: Record, since_ns: int, until_ns: int) -> list[dict[str, Any]]:
    """One row for each transfer of [since, until), in the order of the record.

    -> time, book, cash_micro = by_weight_micro (weight new - old, of the fund's equity) + to_share_micro (back to its
       share after what it earned or lost); weight_before and weight (None for the house), capital_micro, throttle,
       shadow_return and shadow_sharpe (annual) of the last 30 days, None before there are so many, and of the 30 to
       the day before, shadow_sharpe_before; best_sharpe, of the book whose shadow did best; reason, in words
    """
    rows = record.tables["transfers"]
    at = np.flatnonzero((rows["time"] >= since_ns) & (rows["time"] < until_ns))
    return [_move(record, int(i)) for i in at]


def _move(record: Record, i: int) -> dict[str, Any]:
    rows, books = record.tables["transfers"], record.tables["books"]
    time, b, cash = int(rows["time"][i]), int(rows["book"][i]), int(rows["cash_micro"][i])
    name, house = record.books[b], b == len(record.books) - 1
    own = np.flatnonzero(books["book"] == b)
    now, before = own[books["time"][own] >= time][:1], own[books["time"][own] < time][-1:]
    row = {"time": utc_text(time), "book": name, "cash_micro": cash}
    if record.names["reason"][rows["reason"][i]] == DEPOSIT:
        return row | {"reason": "deposit from outside"}
    if not len(now):
        return row | {"reason": "no daily row of the book follows"}
    weight = float(books["weight"][now[0]])
    earlier = float(books["weight"][before[0]]) if len(before) else float("nan")
    by_weight = 0
    if not house and len(before):
        together = books["time"] == books["time"][now[0]]
        by_weight = round((weight - earlier) * int(books["equity_micro"][together].sum()))
    shadow = shadow_returns(record, b, time)
    known = len(shadow) == EVIDENCE_DAYS
    sharpe, yesterday = shadow_sharpe(record, b, time), shadow_sharpe(record, b, time - DAY_NS)
    every = [shadow_sharpe(record, seat, time) for seat in range(len(record.books) - 1)]
    best = max((one for one in every if one is not None), default=None)
    return row | {
        "by_weight_micro": by_weight,
        "to_share_micro": cash - by_weight,
        "weight_before": None if house or not len(before) else earlier,
        "weight": None if house else weight,
        "capital_micro": int(books["capital_micro"][now[0]]),
        "throttle": float(books["throttle"][now[0]]),
        "shadow_return": float(shadow.sum()) if known and not house else None,
        "shadow_sharpe": None if house else sharpe,
        "shadow_sharpe_before": None if house else yesterday,
        "best_sharpe": best,
        "reason": "; ".join(capital.reasons(record, time, name))
        or _reason(house, len(before) == 0, weight - earlier, cash, (yesterday, sharpe, best)),
    }


def shadow_returns(record: Record, b: int, at_ns: int) -> Panel:
    """The book's shadow over the last 30 days, or those there are: change a day of the capital it started with."""
    books = record.tables["books"]
    own = (books["book"] == b) & (books["time"] <= at_ns) & (books["time"] % DAY_NS == 0)
    since = books["time"] >= at_ns - EVIDENCE_DAYS * DAY_NS
    equity = books["shadow_equity_micro"][own & since].astype(np.float64)
    returns: Panel = np.diff(equity) / (record.result["nav"]["start"] * 1e6)
    return returns


def shadow_sharpe(record: Record, b: int, at_ns: int) -> float | None:
    """Annual Sharpe ratio of those days; None where they are fewer than 30, or where nothing moved."""
    returns = shadow_returns(record, b, at_ns)
    deviation = float(returns.std(ddof=1)) if len(returns) == EVIDENCE_DAYS else 0.0
    return float(returns.mean()) / deviation * DAYS_A_YEAR**0.5 if deviation > 0 else None


def _reason(house: bool, first: bool, step: float, cash: int, sharpes: tuple[float | None, ...]) -> str:
    """Why, as far as the record knows it."""
    if house:
        return "what the books leave" if cash >= 0 else "what the books take"
    if first:
        return "first capital"
    if abs(step) <= SAME:
        return f"same weight: stood {'above' if cash < 0 else 'below'} its share of NAV"
    yesterday, now, best = (None if one is None else f"{one:.2f}".replace("-", "−") for one in sharpes)
    more = "more weight" if step > 0 else "less weight"
    if now is None:
        return f"{more}: its shadow has no Sharpe ratio of {EVIDENCE_DAYS} days, the best book's is {best or 'unknown'}"
    return (
        f"{more}: {EVIDENCE_DAYS}-day Sharpe of its shadow {now}, the day before {yesterday or 'unknown'}, best {best}"
    )
