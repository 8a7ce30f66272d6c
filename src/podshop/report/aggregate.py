"""What the report needs of a run, summed while the rows go by: the rows themselves need not be kept.

`Aggregator.add` takes the same columns as the recorder, in any cut and any order of tables; `gather` gives the result.
Money and lots are summed as int64, never as floats, so the identity of every day comes out to the micro-dollar:

    equity at the next 00:00 - capital = price P&L + funding - fees - slippage        (docs/semantics.md, section 4)

The left side is what the ledger says. The right side is summed here from fills, funding and marks. Lots held x change
of mark + traded lots x (next mark - reference), summed over the cycles of a day, telescopes in whole numbers to the
value of the lots at its end - that at its start - sum of traded lots x reference: marks are needed at midnights only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from podshop.nouns import DAY_NS, Panel, Times, Whole
from podshop.nouns.verdict import CODE_NAMES, FILL_KINDS, HOUSE, SETTLEMENT_FILL, VERDICTS
from podshop.report.episodes import Episode, Episodes
from podshop.report.shortfall import Shortfall, TradingCosts

Rows: TypeAlias = Mapping[str, NDArray[Any]]
Cube: TypeAlias = NDArray[np.int64]

NAV_COLUMNS = ("time", "nav_micro", "gross", "net", "drawdown", "var")
FLOWS = ("fees", "slippage", "funding", "referenced")  # per book and market, micro-dollars


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """A run in arrays of days, books and markets. B execution agents and the house, last; M markets; D days.

    day               (D,) start of each day at 00:00, UTC ns; the first and the last may be parts of days
    fees, slippage, funding, price_pnl      (D, B + 1) micro-dollars; funding received > 0, costs > 0
    equity_micro, capital_micro             (D, B + 1) at the day's start: before and after its transfers; 0 where none
    weight, throttle, shadow_equity_micro   (D, B + 1) as of the day's start; NaN or 0 where none
    residual_micro    (D, B + 1) of the identity, over days that begin and end at a daily row; 0 = exact
    market_pnl        name -> (M,) micro-dollars over the run: price_pnl, fees, slippage, funding
    nav               name -> (K,) one value per cycle: time, nav_micro, gross, net, drawdown, var
    clean_pnl         (D,) micro-dollars: the lots of the 00:00 NAV row, frozen for 24 hours
    var_micro         (D,) value at risk at that row; NaN where unknown or where the day is not whole
    verdicts          (3, codes, M) rows on the net order: approve, shrink, veto
    book_verdicts     (codes, B + 1) rows on a book's own limits, and on what its shadow was held back from
    fills             (kinds,) rows
    trading           what trading cost, part by part
    """

    books: tuple[str, ...]
    markets: tuple[str, ...]
    day: Times
    fees: Whole
    slippage: Whole
    funding: Whole
    price_pnl: Whole
    equity_micro: Whole
    capital_micro: Whole
    weight: Panel
    throttle: Panel
    shadow_equity_micro: Whole
    residual_micro: Whole
    market_pnl: Mapping[str, Whole]
    nav: Mapping[str, NDArray[Any]]
    clean_pnl: Whole
    var_micro: Panel
    verdicts: Whole
    book_verdicts: Whole
    episodes: Whole  # (3, codes, M) unchanged consecutive verdicts, counted once
    longest: tuple[Episode, ...]
    fills: Whole
    trading: TradingCosts

    @property
    def identity_residual_micro(self) -> dict[str, int]:
        """Book -> sum of the absolute residuals of all its days, and 'total': 0 = the P&L identity holds exactly."""
        each = np.abs(self.residual_micro).sum(axis=0)
        return dict(zip(self.books, each.tolist(), strict=True)) | {"total": int(each.sum())}

    def costs_usd(self) -> dict[str, float]:
        """Fees and slippage paid, funding received (negative = paid), and the P&L before all three."""
        sums = {"fees": self.fees, "slippage": self.slippage, "funding": self.funding, "price_pnl": self.price_pnl}
        return {name: int(micro.sum()) / 1e6 for name, micro in sums.items()}

    def orders(self) -> dict[str, Any]:
        """Verdicts on net orders: wanted = approved + shrunk + vetoed, and how many of each code."""
        approved, shrunk, vetoed = (int(n) for n in self.verdicts.sum(axis=(1, 2)))
        codes = self.verdicts.sum(axis=(0, 2)).tolist()
        by_code = {code: count for code, count in zip(CODE_NAMES, codes, strict=True) if count}
        return {
            "wanted": approved + shrunk + vetoed, "approved": approved, "shrunk": shrunk, "vetoed": vetoed,
            "by_code": by_code,
        }  # fmt: skip

    def var_test(self) -> dict[str, int]:
        """Whole days that began with lots held and a known VaR, and those whose clean P&L lost more than it."""
        known = self.var_micro > 0
        return {"days": int(known.sum()), "breaches": int((-self.clean_pnl[known] > self.var_micro[known]).sum())}


@dataclass
class Aggregator:
    """Sums the rows of a run from `since_ns` to `until_ns`. Give its `add` to the recorder as a watcher.

    books    the execution agents, without the house
    markets  base assets
    """

    books: Sequence[str]
    markets: Sequence[str]
    since_ns: int
    until_ns: int
    _nav: list[Rows] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._first = self.since_ns // DAY_NS
        days = -(-self.until_ns // DAY_NS) - self._first
        books, markets = len(self.books) + 1, len(self.markets)
        self._by_day = {flow: np.zeros((days, books), np.int64) for flow in FLOWS}
        self._by_market = {flow: np.zeros((books, markets), np.int64) for flow in FLOWS}
        self._traded = np.zeros((days, books, markets), np.int64)  # change of lots
        self._mark = np.zeros((days + 1, markets), np.int64)  # at the start of each day, and at the end of the run
        self._daily = {
            "equity_micro": np.zeros((days + 1, books), np.int64),
            "capital_micro": np.zeros((days + 1, books), np.int64),
            "shadow_equity_micro": np.zeros((days + 1, books), np.int64),
            "weight": np.full((days + 1, books), np.nan),
            "throttle": np.full((days + 1, books), np.nan),
        }
        self._has_row = np.zeros(days + 1, np.bool_)
        self._verdicts = np.zeros((len(VERDICTS), len(CODE_NAMES), markets), np.int64)
        self._book_verdicts = np.zeros((len(CODE_NAMES), books), np.int64)
        self._episodes = Episodes(len(CODE_NAMES), markets)
        self._fills = np.zeros(len(FILL_KINDS), np.int64)
        self._shortfall = Shortfall(self._first, days, books, markets)

    def add(self, table: str, columns: Rows) -> None:
        """Take rows of a table in; tables it has no use for pass by."""
        take = {
            "nav": self._add_nav, "marks": self._add_marks, "fills": self._add_fills, "funding": self._add_funding,
            "books": self._add_books, "verdicts": self._add_verdicts, "wishes": self._shortfall.add_wishes,
            "costs": self._shortfall.add_costs,
        }.get(table)  # fmt: skip
        if take is not None and len(columns["time"]):
            take(columns)

    def gather(self) -> ReportData:
        """The sums so far; call it when the run is over."""
        days = len(self._traded)
        lots = self._traded.cumsum(axis=0)  # held at the end of each day
        before = np.concatenate((np.zeros_like(lots[:1]), lots[:-1]))
        start, end = self._mark[:-1, None, :], self._mark[1:, None, :]
        change = lots * end - before * start  # of the value of the lots
        price_pnl = change.sum(axis=2) - self._by_day["referenced"]
        flow = self._by_day
        earned = price_pnl + flow["funding"] - flow["fees"] - flow["slippage"]
        daily = self._daily
        whole = (self._has_row[:-1] & self._has_row[1:])[:, None]
        ledger = daily["equity_micro"][1:] - daily["capital_micro"][:-1]
        nav = {name: np.concatenate([rows[name] for rows in self._nav]) for name in NAV_COLUMNS} if self._nav else {}
        clean = (before.sum(axis=1) * (self._mark[1:] - self._mark[:-1])).sum(axis=1)
        market = {name: sums.sum(axis=0) for name, sums in self._by_market.items()}
        market["price_pnl"] = change.sum(axis=(0, 1)) - market.pop("referenced")
        return ReportData(
            books=(*self.books, HOUSE),
            markets=tuple(self.markets),
            day=(self._first + np.arange(days)) * DAY_NS,
            fees=flow["fees"],
            slippage=flow["slippage"],
            funding=flow["funding"],
            price_pnl=price_pnl,
            residual_micro=np.where(whole, ledger - earned, 0),
            market_pnl=market,
            nav=nav,
            clean_pnl=clean,
            var_micro=self._var_at_midnight(nav, days),
            verdicts=self._verdicts,
            book_verdicts=self._book_verdicts,
            episodes=self._episodes.count(),
            longest=self._episodes.longest(),
            fills=self._fills,
            trading=self._shortfall.gather(),
            equity_micro=daily["equity_micro"][:-1],
            capital_micro=daily["capital_micro"][:-1],
            shadow_equity_micro=daily["shadow_equity_micro"][:-1],
            weight=daily["weight"][:-1],
            throttle=daily["throttle"][:-1],
        )

    def _day(self, time: Times) -> Whole:
        """Index of the day. Funding and settled markets of 00:00 belong to the day that ends: transfers come after."""
        return time // DAY_NS - self._first

    def _add_nav(self, columns: Rows) -> None:
        self._nav.append({name: columns[name] for name in NAV_COLUMNS})

    def _add_marks(self, columns: Rows) -> None:
        """Keep the marks of midnights, and those of the end of the run, which may be none."""
        day, market, mark = self._day(columns["time"]), columns["market"], columns["mark_micro"]
        midnight = columns["time"] % DAY_NS == 0
        self._mark[day[midnight], market[midnight]] = mark[midnight]
        last = columns["time"] == self.until_ns
        self._mark[-1, market[last]] = mark[last]
        self._shortfall.add_marks(columns)

    def _add_fills(self, columns: Rows) -> None:
        book, market, lots = columns["book"], columns["market"], columns["lots"]
        price, reference = columns["price_micro"], columns["reference_micro"]
        day = self._day(columns["time"] - (columns["kind"] == SETTLEMENT_FILL))
        flows = {"fees": columns["fee_micro"], "slippage": (price - reference) * lots, "referenced": reference * lots}
        for flow, micro in flows.items():
            self._flow(flow, day, book, market, micro)
        np.add.at(self._traded, (day, book, market), lots)
        self._fills += np.bincount(columns["kind"], minlength=len(self._fills))
        self._shortfall.add_fills(columns, day)

    def _add_funding(self, columns: Rows) -> None:
        day = self._day(columns["time"] - 1)
        self._flow("funding", day, columns["book"], columns["market"], columns["cash_micro"])

    def _flow(self, flow: str, day: Whole, book: Whole, market: Whole, micro: Whole) -> None:
        np.add.at(self._by_day[flow], (day, book), micro)
        np.add.at(self._by_market[flow], (book, market), micro)

    def _add_books(self, columns: Rows) -> None:
        inside = columns["time"] // DAY_NS >= self._first
        day, book = self._day(columns["time"])[inside], columns["book"][inside]
        for name, values in self._daily.items():
            values[day, book] = columns[name][inside]
        self._has_row[day] = True

    def _add_verdicts(self, columns: Rows) -> None:
        market, book, code = columns["market"], columns["book"], columns["code"]
        net = book > len(self.books)
        np.add.at(self._verdicts, (columns["verdict"][net], code[net], market[net]), 1)
        np.add.at(self._book_verdicts, (code[~net], book[~net]), 1)
        self._episodes.add({name: columns[name][net] for name in ("cycle", "time", "market", "verdict", "code")})

    def _var_at_midnight(self, nav: Mapping[str, NDArray[Any]], days: int) -> Panel:
        var = np.full(days, np.nan)
        if nav:
            whole = (nav["time"] % DAY_NS == 0) & (nav["time"] + DAY_NS <= self.until_ns)
            var[self._day(nav["time"][whole])] = nav["var"][whole] * nav["nav_micro"][whole]
        return var
