"""A made-up record to account for, and the same account kept slowly: one row after another, in Python's own numbers."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from podshop.journal.record import Recorder
from podshop.nouns import utc_text
from podshop.report.accounts import Record
from tests.journal.made_up import BOOKS, HOUR_NS, MARKETS, NAMES, MadeUp

SINCE_NS = 19_723 * 24 * HOUR_NS  # 2024-01-01
Columns = dict[str, np.ndarray]


def result_of(tables: dict[str, Columns], simulated: bool = True) -> dict[str, Any]:
    """What a statement needs of result.json."""
    time, nav = tables["nav"]["time"], tables["nav"]["nav_micro"]
    return {
        "fund": "made up <&> whole",
        "simulated": simulated,
        "period": {"since": utc_text(int(time[0])), "until": utc_text(int(time[-1])), "interval": "1h"},
        "nav": {"start": 100_000.0, "end": float(nav[-1]) / 1e6},
        "limits": {"max_var": 0.02, "max_gross": 1.0, "max_weight": 0.05, "min_order_usd": 100.0},
        "signals": {"agents": [{"name": "up", "family": "momentum"}, {"name": "paid", "family": "funding"}]},
        "package_sha256": "0" * 64,
        "decisions_sha256": "1" * 64,
        "trials": None,
        "trials_note": "not counted before the trials ledger",
    }


def record_of(tables: dict[str, Columns]) -> Record:
    """The rows as the accountant has them in memory."""
    return Record(
        result=result_of(tables),
        tables=tables,
        names=NAMES,
        horizon={"trend": "swing", "carry": "intraday"},
        family={"trend": "momentum", "carry": "funding"},
    )


def folder_of(folder: Path, tables: dict[str, Columns], simulated: bool = True) -> Path:
    """The rows as a finished record on disk."""
    with Recorder(folder, NAMES) as recorder:
        for table, columns in tables.items():
            recorder.write(table, columns)
        recorder.close()
        recorder.finish(result_of(tables, simulated), "")
    return folder


def made(hours: int, seed: int = 5, since_ns: int = SINCE_NS) -> dict[str, Columns]:
    tables = MadeUp(seed=seed).run(since_ns, hours)
    nav = tables["nav"]
    nav["var"] = np.abs(nav["net"]) * 0.01  # the made-up fund measures none
    return tables


@dataclass
class Slow:
    """Walks over all rows by seq and keeps, for each NAV row, what everything came to before it.

    Price P&L is counted at every mark: lots held x its change, and traded lots x (next mark - reference).
    """

    tables: dict[str, Columns]
    at: dict[int, dict[str, Any]] = field(default_factory=dict)  # time of a NAV row -> sums so far

    def __post_init__(self) -> None:
        self.parts = {name: defaultdict(int) for name in ("price", "funding", "fees", "slippage", "traded", "crossed")}
        self.saved = defaultdict(int)
        self.lots, self.cash, self.moved = defaultdict(int), defaultdict(int), defaultdict(int)
        self.mark, self.deposits = {}, 0
        self.new = []  # fills since the last mark
        rows = [(int(seq), table, i) for table in self.tables if table != "markets"
                for i, seq in enumerate(self.tables[table]["seq"])]  # fmt: skip
        nav = None
        for _, table, i in sorted(rows):
            row = {name: column[i].item() for name, column in self.tables[table].items()}
            if nav is not None and table != "marks":  # the marks of a NAV row follow it
                self.close(nav)
                nav = None
            if table == "nav":
                nav = row
            else:
                getattr(self, table, lambda row: None)(row)
        if nav is not None:
            self.close(nav)

    def marks(self, row: dict[str, Any]) -> None:
        m, mark = row["market"], row["mark_micro"]
        before = self.mark.get(m)
        fresh = [fill for fill in self.new if fill["market"] == m]
        for b in range(len(BOOKS)):
            held = self.lots[b, m] - sum(fill["lots"] for fill in fresh if fill["book"] == b)
            if held:
                self.parts["price"][b, m] += held * (mark - before)
        for fill in fresh:
            self.parts["price"][fill["book"], m] += fill["lots"] * (mark - fill["reference_micro"])
        self.new = [fill for fill in self.new if fill["market"] != m]
        self.mark[m] = mark

    def fills(self, row: dict[str, Any]) -> None:
        b, m, lots = row["book"], row["market"], row["lots"]
        self.lots[b, m] += lots
        self.cash[b] += row["cash_micro"]
        self.parts["fees"][b, m] += row["fee_micro"]
        self.parts["slippage"][b, m] += lots * (row["price_micro"] - row["reference_micro"])
        self.parts["crossed" if row["kind"] == 1 else "traded"][b, m] += abs(lots) * row["reference_micro"]
        self.new.append(row)

    def funding(self, row: dict[str, Any]) -> None:
        self.parts["funding"][row["book"], row["market"]] += row["cash_micro"]
        self.cash[row["book"]] += row["cash_micro"]

    def transfers(self, row: dict[str, Any]) -> None:
        self.cash[row["book"]] += row["cash_micro"]
        self.moved[row["book"]] += row["cash_micro"]
        self.deposits += row["cash_micro"] if row["reason"] == 0 else 0

    def costs(self, row: dict[str, Any]) -> None:
        self.saved[row["book"], row["market"]] += row["saved_micro"]

    def close(self, nav: dict[str, Any]) -> None:
        equity = {
            b: self.cash[b] + sum(self.lots[b, m] * self.mark[m] for m in range(len(MARKETS)))
            for b in range(len(BOOKS))
        }
        net = {m: sum(self.lots[b, m] for b in range(len(BOOKS))) for m in range(len(MARKETS))}
        self.at[nav["time"]] = {
            "nav": nav["nav_micro"],
            "parts": {name: dict(cells) for name, cells in self.parts.items()},
            "equity": equity,
            "lots": net,
            "mark": dict(self.mark),
            "moved": dict(self.moved),
            "deposits": self.deposits,
        }

    def between(self, name: str, since_ns: int, until_ns: int, b: int, m: int) -> int:
        """A part of the P&L between two NAV rows."""
        parts = [self.at[at]["parts"][name].get((b, m), 0) for at in (since_ns, until_ns)]
        return parts[1] - parts[0]
