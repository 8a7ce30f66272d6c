"""The statement of a day: what the fund was worth, why that changed, what was risked, and whether the books close.

All money is whole micro-dollars (`..._micro`); net = price + funding - fees - slippage, costs paid > 0. The same
statement is made of a month or a whole run, for tear sheets.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from podshop.nouns import DAY_NS, Whole, utc_text
from podshop.nouns.verdict import CODES, NET, VERDICTS
from podshop.report import accounts, capital, in_force
from podshop.report.accounts import INSIDE, Parts, Record
from podshop.report.moves import moves
from podshop.report.plain import plain

Row = dict[str, Any]

PNL = ("price", "funding", "fees", "slippage", "net", "crossing_saved", "traded", "crossed")
NOT_RECORDED = "not recorded"  # family of an agent of which the record does not tell


def statement(record: Record, since_ns: int, until_ns: int) -> Row:
    """Account for [since, until), cut to the run; a day is 00:00 UTC to 00:00 UTC.

    -> period {since, until, whole: the run covers all of it}, nav, pnl {total, by_agent, by_family, by_market,
       by_agent_and_market}, books, exposure, limits, office, verdicts, moves, capital, stages, residuals
    """
    nav = record.tables["nav"]
    end_ns = min(until_ns, int(nav["time"][-1]))
    table = accounts.parts(record, since_ns, end_ns)
    saved = accounts.crossing_saved(record, since_ns, end_ns)
    worth = _nav(record, since_ns, end_ns, int(table.net.sum()))
    found: Row = plain(
        {
            "fund": record.result["fund"],
            "simulated": record.result["simulated"],
            "policy": record.policy or None,
            "trials": record.result.get("trials_note"),
            "period": {
                "date": utc_text(since_ns)[:10],
                "since": utc_text(max(since_ns, int(nav["time"][0]))),
                "until": utc_text(end_ns),
                "interval": record.result["period"]["interval"],
                "whole": int(nav["time"][0]) <= since_ns and end_ns == until_ns,
            },
            "nav": worth,
            "pnl": _pnl(record, table, saved),
            "books": _books(record, since_ns, end_ns, table),
            "exposure": _exposure(record, since_ns, end_ns),
            "limits": in_force.limits(record, since_ns, end_ns),
            "office": in_force.office(record, since_ns, end_ns),
            "verdicts": _verdicts(record, since_ns, end_ns),
            "moves": moves(record, since_ns, end_ns) if until_ns - since_ns <= DAY_NS else [],
            "capital": capital.agreed(record, end_ns, worth["close_micro"]),
            "stages": capital.stages(record, end_ns),
            "residuals": _residuals(record, since_ns, end_ns, table),
        }
    )
    return found


def _nav(record: Record, since_ns: int, end_ns: int, pnl: int) -> Row:
    """NAV at both ends, and the highest until the end. Before the first NAV row NAV is what was deposited."""
    rows = record.tables["nav"]
    known = rows["time"] <= end_ns
    time, nav = rows["time"][known], rows["nav_micro"][known]
    at_start = np.flatnonzero(time == since_ns)
    opening = int(nav[at_start[0]]) if len(at_start) else int(accounts.position(record, since_ns).equity.sum())
    deposits, _ = accounts.moved(record, since_ns, end_ns)
    peak = int(nav.argmax())
    inside = time >= since_ns
    return {
        "open_micro": opening,
        "deposits_micro": deposits,
        "pnl_micro": pnl,
        "close_micro": int(nav[-1]),
        "return": pnl / (opening + deposits),
        "high_water_mark_micro": int(nav[peak]),
        "high_water_mark_at": utc_text(int(time[peak])),
        "drawdown": 1 - int(nav[-1]) / int(nav[peak]),
        "deepest_drawdown": float((1 - nav / np.maximum.accumulate(nav))[inside].max()),
    }


def _pnl(record: Record, table: Parts, saved: Whole) -> Row:
    """The same cells summed four ways."""
    cells = {
        "price": table.price, "funding": table.funding, "fees": table.fees, "slippage": table.slippage,
        "net": table.net, "crossing_saved": saved, "traded": table.traded, "crossed": table.crossed,
    }  # fmt: skip

    def row(b: Any, m: Any) -> Row:
        return {f"{name}_micro": int(cells[name][b, m].sum()) for name in PNL}

    every = slice(None)
    seats = list(enumerate(record.books))
    of = {name: record.family.get(name, "") or NOT_RECORDED for name in record.books[:-1]}
    families = {family: [b for b, name in seats if of.get(name) == family] for family in sorted(set(of.values()))}
    return {
        "total": row(every, every),
        "by_agent": [
            {"name": name, "family": of.get(name), "horizon": record.horizon.get(name) or None} | row(b, every)
            for b, name in seats
        ],
        "by_family": [
            {"name": family, "agents": len(members)} | row(members, every) for family, members in families.items()
        ]
        + [{"name": record.books[-1], "agents": 0} | row(seats[-1][0], every)],
        "by_market": [{"name": name} | row(every, m) for m, name in enumerate(record.markets)],
        "by_agent_and_market": [
            {"name": name, "market": market} | found
            for b, name in seats
            for m, market in enumerate(record.markets)
            if any((found := row(b, m)).values())
        ],
    }


def _books(record: Record, since_ns: int, end_ns: int, table: Parts) -> list[Row]:
    """Each book from its equity at the start to that at its end."""
    start, end = (accounts.position(record, at).equity for at in (since_ns, end_ns))
    _, received = accounts.moved(record, since_ns, end_ns)
    net = table.net.sum(axis=1)
    return [
        {
            "name": name,
            "open_micro": int(start[b]),
            "transfers_micro": int(received[b]),
            "net_micro": int(net[b]),
            "close_micro": int(end[b]),
        }
        for b, name in enumerate(record.books)
    ]


def _exposure(record: Record, since_ns: int, end_ns: int) -> Row:
    """What is held at the end, by market, and gross and net of it all."""
    held = accounts.position(record, end_ns)
    lots, nav = held.lots.sum(axis=0), int(held.equity.sum())
    value = lots * held.mark
    order = np.argsort(-np.abs(value), kind="stable")
    return {
        "gross": int(np.abs(value).sum()) / nav,
        "net": int(value.sum()) / nav,
        "markets": [
            {
                "name": record.markets[m],
                "lots": int(lots[m]),
                "mark_micro": int(held.mark[m]),
                "value_micro": int(value[m]),
                "weight": int(value[m]) / nav,
            }
            for m in order
            if lots[m]
        ],
    }


def _verdicts(record: Record, since_ns: int, end_ns: int) -> Row:
    """What the gate answered to net orders, by code; and how often books were held back or cut before that."""
    rows = record.tables["verdicts"]
    counted = (rows["time"] >= since_ns) & (rows["time"] < end_ns)
    net = record.is_one_of("verdicts", "book", NET)
    verdicts = record.names["verdict"]
    of_net = [_codes(record, counted & net, code) for code in range(len(record.names["code"]))]
    of_books = [_codes(record, counted & ~net, code) for code in range(len(record.names["code"]))]
    totals = {name: sum(row[name] for row in of_net) for name in verdicts}
    return {
        "wanted": int((counted & net).sum()),
        **{name: totals.get(name, 0) for name in VERDICTS},
        "by_code": sorted((row for row in of_net if row["count"]), key=lambda row: -row["count"]),
        "books": sorted((row for row in of_books if row["count"]), key=lambda row: -row["count"]),
    }


def _codes(record: Record, which: Any, code: int) -> Row:
    """Rows of one code: how many of each verdict, and in which markets most."""
    rows = record.tables["verdicts"]
    found = which & (rows["code"] == code)
    by_market = np.bincount(rows["market"][found], minlength=len(record.markets))
    order = np.argsort(-by_market, kind="stable")
    name = record.names["code"][code]
    return {
        "code": name,
        "meaning": CODES.get(name, "").partition(";")[0],
        "count": int(found.sum()),
        **{verdict: int((found & (rows["verdict"] == v)).sum()) for v, verdict in enumerate(record.names["verdict"])},
        "markets": [record.markets[m] for m in order if by_market[m]],
    }


def _residuals(record: Record, since_ns: int, end_ns: int, table: Parts) -> Row:
    """What is left over where two accounts of the same thing are compared: all 0, or the books do not close.

    nav         NAV at the end - at the start - deposits - P&L
    books       book -> equity at the end - at the start - transfers - P&L, the equity from cash and lots alone
    daily_rows  book -> what its daily rows say it earned - what fills, funding and marks between them come to; None
                where the stretch has no two such rows (a run's last hours)
    venue       lots and micro-dollars of what crossed inside, which must cancel, and the NAV row's cash - all books'
    transfers   between books, which must cancel
    """
    worth = _nav(record, since_ns, end_ns, int(table.net.sum()))
    books = {
        row["name"]: row["close_micro"] - row["open_micro"] - row["transfers_micro"] - row["net_micro"]
        for row in _books(record, since_ns, end_ns, table)
    }
    fills, nav = record.tables["fills"], record.tables["nav"]
    inside = record.is_one_of("fills", "kind", *INSIDE) & (fills["time"] < end_ns)
    lots = np.zeros(len(record.markets), np.int64)
    np.add.at(lots, fills["market"][inside], fills["lots"][inside])
    cash = int(nav["cash_micro"][nav["time"] == end_ns][0]) - int(accounts.position(record, end_ns).cash.sum())
    deposits, received = accounts.moved(record, since_ns, end_ns)
    found = {
        "nav_micro": worth["close_micro"] - worth["open_micro"] - worth["deposits_micro"] - worth["pnl_micro"],
        "books_micro": books,
        "daily_rows_micro": daily_rows(record, since_ns, end_ns),
        "venue_lots": int(np.abs(lots).sum()),
        "venue_micro": abs(int(fills["cash_micro"][inside].sum())) + abs(cash),
        "transfers_micro": int(received.sum()) - deposits,
    }
    return found | {"all_zero": not any(_leaves(found.values()))}


def daily_rows(record: Record, since_ns: int, end_ns: int) -> dict[str, int] | None:
    """Over every pair of neighbouring daily rows in [since, end], book -> what the identity leaves, without sign.

    equity at the next row - capital = lots x marks at the next - the same now - sum of lots x price - fees + funding
    """
    rows, fills, funding = (record.tables[name] for name in ("books", "fills", "funding"))
    times = np.unique(rows["time"][(rows["time"] >= since_ns) & (rows["time"] <= end_ns)])
    if len(times) < 2:
        return None
    books, markets = len(record.books), len(record.markets)
    earned = np.zeros((len(times) + 1, books), np.int64)  # place i: since row i - 1; what came before any row is in 0
    lots = np.zeros((len(times) + 1, books, markets), np.int64)
    at = np.searchsorted(times, accounts.ledger_times(record), side="right")
    np.add.at(lots, (at, fills["book"], fills["market"]), fills["lots"])
    np.add.at(earned, (at, fills["book"]), -fills["lots"] * fills["price_micro"] - fills["fee_micro"])
    at = np.searchsorted(times, funding["time"] - 1, side="right")
    np.add.at(earned, (at, funding["book"]), funding["cash_micro"])
    value = np.stack(
        [held @ accounts.marks_at(record, t) for held, t in zip(lots.cumsum(axis=0), times.tolist(), strict=False)]
    )
    told = {name: np.zeros((len(times), books), np.int64) for name in ("equity_micro", "capital_micro")}
    shown = (rows["time"] >= since_ns) & (rows["time"] <= end_ns)
    for name, table in told.items():
        table[np.searchsorted(times, rows["time"][shown]), rows["book"][shown]] = rows[name][shown]
    left = told["equity_micro"][1:] - told["capital_micro"][:-1] - (earned[1:-1] + value[1:] - value[:-1])
    return dict(zip(record.books, np.abs(left).sum(axis=0).tolist(), strict=True))


def _leaves(values: Iterable[Any]) -> list[int]:
    """Every number in nested dictionaries; what is unknown is none."""
    found: list[int] = []
    for value in values:
        found += _leaves(value.values()) if isinstance(value, dict) else [] if value is None else [value]
    return found
