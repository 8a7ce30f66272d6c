"""A made-up fund whose rows obey every rule of a record: plain Python, one row at a time, no outside code.

Its trades mean nothing. It writes the tables of `podshop.journal.tables` for an hourly fund of a few books.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from podshop.journal.tables import TABLES

HOUR_NS = 3_600_000_000_000
MARKETS = ("BTC", "ETH", "XRP")
LOT_SIZES = (1e-5, 1e-4, 1.0)
BOOKS = ("trend", "carry", "house")
NAMES = {
    "market": MARKETS,
    "book": (*BOOKS, "NET"),
    "kind": ("venue", "cross", "settlement", "house", "maker"),
    "source": ("ASSUMED", "okx_perp"),
    "reason": ("deposit", "allocation"),
    "verdict": ("approve", "shrink", "veto"),
    "code": ("OK", "POSITION_CAP", "VAR", "UNFILLED_NO_TRADE"),
}
HOUSE, NET = 2, 3
DEPOSIT = 100_000_000_000


@dataclass
class MadeUp:
    """The fund as it runs: whole lots and micro-dollars, and the rows written so far."""

    seed: int
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {table: [] for table in TABLES})

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.seq = 0
        self.lots = defaultdict(int)  # (book, market) -> lots
        self.cash = [0] * len(BOOKS)
        self.capital = [0] * len(BOOKS)
        self.peak = 0
        self.price = np.array([40_000.0, 2_500.0, 0.6])
        self.scale = [size * 1e6 for size in LOT_SIZES]

    def run(self, since_ns: int, cycles: int) -> dict[str, dict[str, np.ndarray]]:
        """Columns of every table, as a recorder takes them. `since_ns` is a midnight."""
        for m in range(len(MARKETS)):
            lot = {"lot_size": LOT_SIZES[m], "min_notional": 10.0, "lot_micro_scale": self.scale[m]}
            self.rows["markets"].append({"market": m} | lot)
        self.move(since_ns - HOUR_NS, [(HOUSE, DEPOSIT, 0)])
        self.move(since_ns - HOUR_NS, [(HOUSE, -2 * (DEPOSIT // 2), 1), (0, DEPOSIT // 2, 1), (1, DEPOSIT // 2, 1)])
        for k in range(cycles + 1):
            self.cycle(since_ns + k * HOUR_NS, last=k == cycles)
        return {table: self.columns(table) for table in TABLES}

    def columns(self, table: str) -> dict[str, np.ndarray]:
        kinds = {"name": np.int8, "real": np.float64, "whole": np.int64, "time": np.int64}
        return {c.name: np.array([r[c.name] for r in self.rows[table]], kinds[c.kind]) for c in TABLES[table]}

    def add(self, table: str, at: int, **row: Any) -> None:
        self.seq += 1
        self.rows[table].append({"cycle": -(-at // HOUR_NS), "seq": self.seq, "time": at} | row)

    def move(self, at: int, moves: list[tuple[int, int, int]]) -> None:
        for book, cash, reason in moves:
            self.cash[book] += cash
            self.add("transfers", at, book=book, cash_micro=cash, reason=reason)

    def cycle(self, at: int, last: bool) -> None:
        self.price *= np.exp(self.rng.normal(0, 0.006, len(MARKETS)))
        mark = [round(p * s) for p, s in zip(self.price, self.scale, strict=True)]
        net = [sum(self.lots[b, m] for b in range(len(BOOKS))) for m in range(len(MARKETS))]
        worth = [n * p for n, p in zip(net, mark, strict=True)]
        nav = sum(self.cash) + sum(worth)
        self.peak = max(self.peak, nav)
        shares = {"gross": sum(map(abs, worth)) / nav, "net": sum(worth) / nav, "drawdown": 1 - nav / self.peak}
        self.add("nav", at, nav_micro=nav, cash_micro=sum(self.cash), var=float("nan"), **shares)
        for m in range(len(MARKETS)):
            self.add("marks", at, market=m, mark_micro=mark[m], age_bars=0)
        if last:
            return
        if at // HOUR_NS % 8 == 0:
            self.fund(at, mark)
        if len(self.rows["nav"]) in (24 * 2 + 1, 24 * 3 + 6):
            self.settle(at, mark)
        if at // HOUR_NS % 24 == 0:
            self.midnight(at, mark)
        for m in range(len(MARKETS)):
            self.trade(at, m, mark[m])

    def fund(self, at: int, mark: list[int]) -> None:
        for m in range(len(MARKETS)):
            rate, source = (float(self.rng.normal(1e-4, 1e-4)), 1) if m < 2 else (1.25e-5, 0)
            for b in range(len(BOOKS)):
                if lots := self.lots[b, m]:
                    owed = lots * mark[m] if source else abs(lots * mark[m])
                    cash = round(-owed * rate)
                    self.cash[b] += cash
                    row = {"mark_micro": mark[m], "rate": rate, "source": source, "cash_micro": cash}
                    self.add("funding", at, market=m, book=b, lots=lots, **row)

    def settle(self, at: int, mark: list[int]) -> None:
        """The last market dies, at a midnight and once more within a day: out at 5 % worse, before the transfers."""
        for b in range(len(BOOKS)):
            if lots := self.lots[b, 2]:
                self.fill(at, 2, b, -lots, mark[2] * 95 // 100, mark[2], kind=2)

    def midnight(self, at: int, mark: list[int]) -> None:
        equity = [self.cash[b] + sum(self.lots[b, m] * p for m, p in enumerate(mark)) for b in range(len(BOOKS))]
        moved = (equity[0] - equity[1]) // 2
        self.move(at, [(0, -moved, 1), (1, moved, 1)])
        capital = [equity[0] - moved, equity[1] + moved, equity[2]]
        for b in range(len(BOOKS)):
            money = {"capital_micro": capital[b], "equity_micro": equity[b], "shadow_equity_micro": DEPOSIT}
            self.add("books", at, book=b, weight=0.5 if b < HOUSE else float("nan"), throttle=1.0, **money)

    def trade(self, at: int, m: int, mark: int) -> None:
        """Each book wishes something now and then; opposite wishes cross, most of the rest fills."""
        unit = 2_000_000_000 // mark
        wish = [int(self.rng.integers(-unit, unit)) if self.rng.random() < 0.15 else 0 for _ in range(2)]
        crossed = min(map(abs, wish)) if wish[0] * wish[1] < 0 else 0
        reference = round(mark * (1 + float(self.rng.normal(0, 1e-4))))
        wanted = sum(wish)
        if wanted:
            part = int(self.rng.choice(3, p=(0.8, 0.1, 0.1)))
            allowed = (wanted, int(wanted / 2), 0)[part]
            verdict = 0 if allowed == wanted else 2 if allowed == 0 else 1
            lots = {"wanted_lots": wanted, "allowed_lots": allowed, "filled_lots": allowed, "resting_lots": 0}
            code = {"code": (0, 2, 2)[verdict], "measured": 0.04 + 0.02 * verdict, "bound": 0.05}
            self.add("verdicts", at, market=m, book=NET, verdict=verdict, **lots, **code)
            if allowed:
                book = max((0, 1), key=lambda b: abs(wish[b]))
                price = reference + (1 if allowed > 0 else -1) * (reference // 5000 + 1)
                self.fill(at, m, book, allowed, price, reference, kind=0)
        if crossed:
            sign = 1 if wish[0] > 0 else -1
            self.fill(at, m, 0, sign * crossed, reference, reference, kind=1)
            self.fill(at, m, 1, -sign * crossed, reference, reference, kind=1)

    def fill(self, at: int, m: int, book: int, lots: int, price: int, reference: int, kind: int) -> None:
        fee = 0 if kind else -(-abs(lots * price) * 45 // 100_000)
        self.lots[book, m] += lots
        self.cash[book] += -lots * price - fee
        money = {"price": price / self.scale[m], "price_micro": price, "reference_micro": reference, "fee_micro": fee}
        self.add("fills", at, market=m, book=book, lots=lots, kind=kind, cash_micro=-lots * price - fee, **money)
