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
VENUE, CROSS, SETTLEMENT, MAKER = 0, 1, 2, 4
HALF_SPREAD = 1e-4
SHORTFALL = ("delay", "half_spread", "impact", "fee", "opportunity")
COSTS = (*SHORTFALL, "funding", "saved")


@dataclass
class MadeUp:
    """The fund as it runs: whole lots and micro-dollars, and the rows written so far."""

    seed: int
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {table: [] for table in TABLES})

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.seq = 0
        self.lots = defaultdict(int)  # (book, market) -> lots
        self.wished = defaultdict(int)  # (book, market) -> lots, and the mark it was wished at
        self.decided = defaultdict(int)
        self.spent = defaultdict(lambda: dict.fromkeys(COSTS, 0))  # (book, market) -> what the next row of costs says
        self.resting = {}  # market -> (book, lots, limit, reference)
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
        for m, (book, lots, limit, reference) in sorted(self.resting.items()):
            if filled := int(lots * self.rng.choice((0.0, 0.5, 1.0))):
                self.fill(at - 1000, m, book, filled, limit, reference, MAKER)
        self.resting = {}
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
            for book, m in sorted(self.wished):
                self.close_wish(m, book, mark[m])
            self.costs(at)
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
                    self.spent[b, m]["funding"] -= cash
                    row = {"mark_micro": mark[m], "rate": rate, "source": source, "cash_micro": cash}
                    self.add("funding", at, market=m, book=b, lots=lots, **row)

    def settle(self, at: int, mark: list[int]) -> None:
        """The last market dies, at a midnight and once more within a day: out at 5 % worse, before the transfers."""
        for b in range(HOUSE):
            self.wish(at, 2, b, 0, mark[2])
        for b in range(HOUSE):
            if lots := self.lots[b, 2]:
                self.fill(at, 2, b, -lots, mark[2] * 95 // 100, mark[2], SETTLEMENT)

    def midnight(self, at: int, mark: list[int]) -> None:
        equity = [self.cash[b] + sum(self.lots[b, m] * p for m, p in enumerate(mark)) for b in range(len(BOOKS))]
        moved = (equity[0] - equity[1]) // 2
        self.move(at, [(0, -moved, 1), (1, moved, 1)])
        capital = [equity[0] - moved, equity[1] + moved, equity[2]]
        self.costs(at)
        for b in range(len(BOOKS)):
            money = {"capital_micro": capital[b], "equity_micro": equity[b], "shadow_equity_micro": DEPOSIT}
            self.add("books", at, book=b, weight=0.5 if b < HOUSE else float("nan"), throttle=1.0, **money)

    def trade(self, at: int, m: int, mark: int) -> None:
        """Each book wishes something now and then; opposite wishes cross, most of the rest fills, at once or later."""
        unit = 2_000_000_000 // mark
        change = [int(self.rng.integers(-unit, unit)) if self.rng.random() < 0.15 else 0 for _ in range(HOUSE)]
        for b in range(HOUSE):
            if change[b]:
                self.wish(at, m, b, self.lots[b, m] + change[b], mark)
        crossed = min(map(abs, change)) if change[0] * change[1] < 0 else 0
        reference = round(mark * (1 + float(self.rng.normal(0, 1e-4))))
        wanted = sum(change)
        if wanted:
            part = int(self.rng.choice(3, p=(0.8, 0.1, 0.1)))
            allowed = (wanted, int(wanted / 2), 0)[part]
            rests = int(allowed * self.rng.choice((0.0, 0.5, 1.0)))
            verdict = 0 if allowed == wanted else 2 if allowed == 0 else 1
            lots = {"wanted_lots": wanted, "allowed_lots": allowed, "filled_lots": allowed - rests}
            code = {"code": (0, 2, 2)[verdict], "measured": 0.04 + 0.02 * verdict, "bound": 0.05}
            self.add(
                "verdicts",
                at,
                market=m,
                book=NET,
                verdict=verdict,
                resting_lots=rests,
                limits_version=1,
                **lots,
                **code,
            )
            book = max((0, 1), key=lambda b: abs(change[b]))
            sign = 1 if allowed > 0 else -1
            if allowed != rests:
                self.fill(at, m, book, allowed - rests, reference + sign * (reference // 5000 + 1), reference, VENUE)
            if rests:
                self.resting[m] = book, rests, reference - sign * (reference // 10_000), reference
        if crossed:
            sign = 1 if change[0] > 0 else -1
            self.fill(at, m, 0, sign * crossed, reference, reference, CROSS)
            self.fill(at, m, 1, -sign * crossed, reference, reference, CROSS)

    def fill(self, at: int, m: int, book: int, lots: int, price: int, reference: int, kind: int) -> None:
        fee = {VENUE: -(-abs(lots * price) * 45 // 100_000), MAKER: -(-abs(lots * price) * 15 // 100_000)}.get(kind, 0)
        self.lots[book, m] += lots
        self.cash[book] += -lots * price - fee
        money = {"price": price / self.scale[m], "price_micro": price, "reference_micro": reference, "fee_micro": fee}
        self.add("fills", at, market=m, book=book, lots=lots, kind=kind, cash_micro=-lots * price - fee, **money)
        slip = lots * (price - reference)
        half = {VENUE: int(abs(lots) * reference * HALF_SPREAD), MAKER: slip}.get(kind, 0)
        spent = self.spent[book, m]
        spent["delay"] += lots * (reference - self.decided[book, m])
        spent["half_spread"] += half
        spent["impact"] += slip - half
        spent["fee"] += fee
        spent["saved"] += round(abs(lots) * reference * 6e-4) if kind == CROSS else 0

    def wish(self, at: int, m: int, book: int, lots: int, mark: int) -> None:
        """A wish that changes ends the one before and leaves a row."""
        if lots != self.wished[book, m]:
            self.close_wish(m, book, mark)
            self.wished[book, m] = lots
            self.add("wishes", at, market=m, book=book, wished_lots=lots, mark_micro=mark)

    def close_wish(self, m: int, book: int, mark: int) -> None:
        still_open = self.wished[book, m] - self.lots[book, m]
        self.spent[book, m]["opportunity"] += still_open * (mark - self.decided[book, m])
        self.decided[book, m] = mark

    def costs(self, at: int) -> None:
        for (book, m), spent in sorted(self.spent.items()):
            if any(spent.values()):
                money = {f"{name}_micro": micro for name, micro in spent.items()}
                shortfall = sum(spent[name] for name in SHORTFALL)
                self.add("costs", at, market=m, book=book, shortfall_micro=shortfall, **money)
        self.spent.clear()
