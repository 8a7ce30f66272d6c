"""What trading cost, summed while the rows go by, and traded on paper once more to see that the sums are right.

Implementation shortfall is what a portfolio on paper, which gets every wish at once at its decision price and free of
cost, earns beyond the real one (Perold 1988, "The implementation shortfall: paper versus reality", Journal of Portfolio
Management 14(3), 4-9). Rows of costs take it apart; here the two portfolios are also held side by side, from wishes,
fills and marks alone, and what the rows leave unexplained is `residual_micro`. Whole micro-dollars throughout.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from podshop.nouns import DAY_NS, Whole

Rows = Mapping[str, Whole]

PARTS = ("delay", "half_spread", "impact", "fee", "opportunity")  # of the shortfall
BESIDE = ("funding", "saved")
COLUMNS = (*PARTS, "shortfall", *BESIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingCosts:
    """Costs of a run, micro-dollars, > 0 is lost. B execution agents and the house, last; M markets; D days.

    by_day          name -> (D, B + 1), for each of COLUMNS and 'traded': sum of |lots| x reference
    by_market       name -> (B + 1, M), the same
    residual_micro  (B + 1, M) P&L of paper - P&L of the book, funding apart, - shortfall: 0 = exact
    """

    by_day: Mapping[str, Whole]
    by_market: Mapping[str, Whole]
    residual_micro: Whole


class Shortfall:
    """Takes rows of wishes, fills, marks and costs, in any cut; `gather` gives the sums so far.

    first_day  days since 1970 of the run's first
    """

    def __init__(self, first_day: int, days: int, books: int, markets: int) -> None:
        def by_day() -> Whole:
            return np.zeros((days, books), np.int64)

        def by_market() -> Whole:
            return np.zeros((books, markets), np.int64)

        self._first_day = first_day
        self._by_day = {name: by_day() for name in (*COLUMNS, "traded")}
        self._by_market = {name: by_market() for name in (*COLUMNS, "traded")}
        self._wished, self._paper_cash = by_market(), by_market()
        self._lots, self._cash = by_market(), by_market()
        self._mark = np.zeros(markets, np.int64)

    def add_wishes(self, columns: Rows) -> None:
        """Paper trades the change of every wish at its decision price."""
        place = columns["book"].astype(np.int64) * len(self._mark) + columns["market"]
        order = np.argsort(place, kind="stable")  # wishes of one book and market together, in their order
        place, wished, price = place[order], columns["wished_lots"][order], columns["mark_micro"][order]
        first, last = np.diff(place, prepend=-1) != 0, np.diff(place, append=-1) != 0
        before = np.where(first, self._wished.ravel()[place], np.roll(wished, 1))
        np.add.at(self._paper_cash.ravel(), place, -(wished - before) * price)
        self._wished.ravel()[place[last]] = wished[last]

    def add_fills(self, columns: Rows, day: Whole) -> None:
        """day: of each row, counted from the run's first."""
        book, market, lots = columns["book"], columns["market"], columns["lots"]
        np.add.at(self._lots, (book, market), lots)
        np.add.at(self._cash, (book, market), -lots * columns["price_micro"] - columns["fee_micro"])
        self._sum("traded", day, columns, np.abs(lots * columns["reference_micro"]))

    def add_marks(self, columns: Rows) -> None:
        """Keep the last: at the end, both portfolios are worth what it says."""
        last = columns["time"] == columns["time"][-1]
        self._mark[columns["market"][last]] = columns["mark_micro"][last]

    def add_costs(self, columns: Rows) -> None:
        """A row of 00:00 speaks of the day that ends."""
        day = (columns["time"] - 1) // DAY_NS - self._first_day
        for name in COLUMNS:
            self._sum(name, day, columns, columns[f"{name}_micro"])

    def gather(self) -> TradingCosts:
        paper = self._paper_cash + self._wished * self._mark
        book = self._cash + self._lots * self._mark
        residual = paper - book - self._by_market["shortfall"]
        return TradingCosts(by_day=self._by_day, by_market=self._by_market, residual_micro=residual)

    def _sum(self, name: str, day: Whole, columns: Rows, micro: Whole) -> None:
        np.add.at(self._by_day[name], (day, columns["book"]), micro)
        np.add.at(self._by_market[name], (columns["book"], columns["market"]), micro)
