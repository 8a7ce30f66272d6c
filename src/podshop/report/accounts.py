"""What a stretch of time did to the books, from the rows of a record: exact, in whole micro-dollars.

A stretch is [since, until). A NAV row of time t is struck before everything else of t, so rows stamped in
[since, until) are what lies between the NAV rows of `since` and `until`, and

    NAV(until) - NAV(since) = deposits + price P&L + funding - fees - slippage

holds to the micro-dollar, in total and for every book and market, with price P&L = lots x mark at the end - the same at
the start - sum of traded lots x reference (docs/semantics.md, section 4, telescoped).
The daily rows of the books are struck later at the same instant, after its funding and its settlements.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from podshop.nouns import DataError, Flags, Panel, Times, Whole, utc_text
from podshop.nouns.verdict import FILL_KINDS, HOUSE, HOUSE_FILL

Rows: TypeAlias = Mapping[str, NDArray[Any]]

INSIDE = ("cross", FILL_KINDS[HOUSE_FILL])  # kinds of fills that move lots between books, not to the venue
SETTLEMENT, DEPOSIT = "settlement", "deposit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A run in memory: the rows of its tables, and what its numbers stand for.

    result   result.json
    tables   table -> column -> (rows,), times in UTC ns; a column of names holds indices into `names`
    names    column of names, such as market, book, kind -> its names
    horizon, family  of each execution agent, '' where the record does not say
    policy   how capital is shared, '' where the record does not say
    rulings      of the risk office, oldest first, as `podshop.run.desk.told` says them; none where they were not kept
    allocations  of the treasury, oldest first, as `podshop.run.treasurer` says them; the same
    """

    result: Mapping[str, Any]
    tables: Mapping[str, Rows]
    names: Mapping[str, tuple[str, ...]]
    horizon: Mapping[str, str]
    family: Mapping[str, str]
    policy: str = ""
    rulings: tuple[Mapping[str, Any], ...] = ()
    allocations: tuple[Mapping[str, Any], ...] = ()

    @property
    def books(self) -> tuple[str, ...]:
        """The execution agents, and the house, last."""
        return self.names["book"][: self.names["book"].index(HOUSE) + 1]

    @property
    def markets(self) -> tuple[str, ...]:
        return self.names["market"]

    def is_one_of(self, table: str, column: str, *names: str) -> Flags:
        """(rows,) where a column of names is one of these."""
        known = self.names[column]
        found: Flags = np.isin(self.tables[table][column], [known.index(name) for name in names if name in known])
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What the books hold at an instant, all rows stamped before it counted. B books, house last; M markets.

    lots   (B, M), cash (B,) micro-dollars, mark (M,) micro-dollars per lot; 0 where there is none
    """

    lots: Whole
    cash: Whole
    mark: Whole

    @property
    def equity(self) -> Whole:
        """(B,) micro-dollars."""
        equity: Whole = self.cash + self.lots @ self.mark
        return equity


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """P&L of a stretch by book and market, (B, M) micro-dollars.

    net = price + funding - fees - slippage; funding received > 0, fees and slippage paid > 0. Beside it: traded, sum of
    |lots| x reference at the venue, and crossed, the same between books (each side counted)
    """

    price: Whole
    funding: Whole
    fees: Whole
    slippage: Whole
    traded: Whole
    crossed: Whole

    @property
    def net(self) -> Whole:
        net: Whole = self.price + self.funding - self.fees - self.slippage
        return net


def parts(record: Record, since_ns: int, until_ns: int) -> Parts:
    """P&L of [since, until), part by part."""
    fills, funding = record.tables["fills"], record.tables["funding"]
    start, end = position(record, since_ns), position(record, until_ns)
    filled = _within(fills["time"], since_ns, until_ns)
    paid = _within(funding["time"], since_ns, until_ns)
    lots, reference = fills["lots"][filled], fills["reference_micro"][filled]
    inside = record.is_one_of("fills", "kind", *INSIDE)[filled]
    value = np.abs(lots) * reference

    def summed(micro: Whole) -> Whole:
        return _by_place(record, fills, filled, micro)

    return Parts(
        price=end.lots * end.mark - start.lots * start.mark - summed(lots * reference),
        funding=_by_place(record, funding, paid, funding["cash_micro"][paid]),
        fees=summed(fills["fee_micro"][filled]),
        slippage=summed((fills["price_micro"][filled] - reference) * lots),
        traded=summed(np.where(inside, 0, value)),
        crossed=summed(np.where(inside, value, 0)),
    )


def position(record: Record, at_ns: int) -> Position:
    """What is held at an instant, at its marks. Raises DataError where a market that is held has none."""
    fills, funding, transfers = (record.tables[name] for name in ("fills", "funding", "transfers"))
    before = fills["time"] < at_ns
    lots = _by_place(record, fills, before, fills["lots"][before])
    cash = np.zeros(len(record.books), np.int64)
    for rows in (fills, funding, transfers):
        earlier = rows["time"] < at_ns
        np.add.at(cash, rows["book"][earlier], rows["cash_micro"][earlier])
    mark = marks_at(record, at_ns)
    bare = np.flatnonzero((lots != 0).any(axis=0) & (mark == 0))
    if len(bare):
        raise DataError(f"marks.parquet has no mark of {record.markets[bare[0]]}, which is held, at {utc_text(at_ns)}")
    return Position(lots=lots, cash=cash, mark=mark)


def marks_at(record: Record, at_ns: int) -> Whole:
    """(M,) micro-dollars per lot of the marks stamped `at_ns`; 0 where there is none."""
    marks = record.tables["marks"]
    now = marks["time"] == at_ns
    mark = np.zeros(len(record.markets), np.int64)
    mark[marks["market"][now]] = marks["mark_micro"][now]
    return mark


def crossing_saved(record: Record, since_ns: int, until_ns: int) -> Whole:
    """(B, M) micro-dollars that lots which crossed inside would have paid; rows of costs speak of what came before."""
    costs = record.tables["costs"]
    counted = _within(costs["time"] - 1, since_ns, until_ns)
    return _by_place(record, costs, counted, costs["saved_micro"][counted])


def moved(record: Record, since_ns: int, until_ns: int) -> tuple[int, Whole]:
    """Deposits from outside, and (B,) what each book received in transfers, deposits among them; micro-dollars."""
    transfers = record.tables["transfers"]
    counted = _within(transfers["time"], since_ns, until_ns)
    received = np.zeros(len(record.books), np.int64)
    np.add.at(received, transfers["book"][counted], transfers["cash_micro"][counted])
    outside = counted & record.is_one_of("transfers", "reason", DEPOSIT)
    return int(transfers["cash_micro"][outside].sum()), received


def net_lots(record: Record, time: Times) -> Whole:
    """(T, M) lots of the whole fund at each of these instants, rising; the rows before it counted."""
    fills = record.tables["fills"]
    held = np.zeros((len(time) + 1, len(record.markets)), np.int64)
    np.add.at(held, (np.searchsorted(time, fills["time"], side="right"), fills["market"]), fills["lots"])
    running: Whole = held.cumsum(axis=0)[:-1]
    return running


def weights(record: Record, since_ns: int, until_ns: int) -> Panel:
    """(T, M) value of the fund's lots as a fraction of NAV, at each NAV row of [since, until], the last one too."""
    nav, marks = record.tables["nav"], record.tables["marks"]
    shown = (nav["time"] >= since_ns) & (nav["time"] <= until_ns)
    time = nav["time"][shown]
    mark = np.zeros((len(time), len(record.markets)))
    within = (marks["time"] >= since_ns) & (marks["time"] <= until_ns)
    mark[np.searchsorted(time, marks["time"][within]), marks["market"][within]] = marks["mark_micro"][within]
    share: Panel = net_lots(record, time) * mark / nav["nav_micro"][shown][:, None]
    return share


def ledger_times(record: Record) -> Times:
    """Times of the fills as the daily rows of the books count: a settlement comes before the row of its instant."""
    return record.tables["fills"]["time"] - record.is_one_of("fills", "kind", SETTLEMENT).astype(np.int64)


def _within(time: Times, since_ns: int, until_ns: int) -> Flags:
    return (time >= since_ns) & (time < until_ns)


def _by_place(record: Record, rows: Rows, which: Flags, micro: Whole) -> Whole:
    """(B, M) sums of `micro`, which belongs to the rows of `which`."""
    total = np.zeros((len(record.books), len(record.markets)), np.int64)
    np.add.at(total, (rows["book"][which], rows["market"][which]), micro)
    return total
