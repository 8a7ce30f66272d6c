"""The report's sums are those of the rows, to the micro-dollar, however the rows are cut."""

from itertools import pairwise

import numpy as np
import pytest

from podshop.nouns import DAY_NS
from podshop.nouns.verdict import SETTLEMENT_FILL
from podshop.report.aggregate import Aggregator, ReportData
from podshop.report.episodes import Episodes
from podshop.report.shortfall import TradingCosts
from tests.journal.made_up import BOOKS, HOUR_NS, MARKETS, MadeUp

SINCE_NS = 19_723 * DAY_NS
HOURS = 24 * 9 + 7  # the last day is a part of one
Columns = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def tables() -> dict[str, Columns]:
    return MadeUp(seed=11).run(SINCE_NS, cycles=HOURS)


def gathered(tables: dict[str, Columns], *cuts: float) -> ReportData:
    """Each table handed over in parts, the parts of all tables in turn."""
    aggregator = Aggregator(BOOKS[:-1], MARKETS, SINCE_NS, SINCE_NS + HOURS * HOUR_NS)
    for a, b in pairwise([0.0, *cuts, 1.0]):
        for table, columns in tables.items():
            count = len(next(iter(columns.values())))
            part = slice(round(a * count), round(b * count))
            aggregator.add(table, {name: column[part] for name, column in columns.items()})
    return aggregator.gather()


def test_the_identity_holds_to_the_micro_dollar(tables: dict[str, Columns]) -> None:
    data = gathered(tables)
    assert data.identity_residual_micro == {"trend": 0, "carry": 0, "house": 0, "total": 0}
    earned = data.price_pnl + data.funding - data.fees - data.slippage
    assert np.abs(earned).sum(axis=1).min() > 0  # the days that were compared had something to compare
    change = tables["nav"]["nav_micro"][-1] - tables["nav"]["nav_micro"][0]
    assert earned.sum() == change


@pytest.mark.parametrize(
    ("table", "column", "row"),
    [("fills", "price_micro", 40), ("fills", "fee_micro", 41), ("fills", "lots", 42), ("funding", "cash_micro", 12),
     ("books", "equity_micro", 7), ("marks", "mark_micro", 3 * 24 * 2)],
)  # fmt: skip
def test_one_micro_dollar_or_lot_elsewhere_breaks_it(
    tables: dict[str, Columns], table: str, column: str, row: int
) -> None:
    moved = {name: values.copy() for name, values in tables[table].items()}
    moved[column][row] += 1
    assert gathered(tables | {table: moved}).identity_residual_micro["total"] > 0


def test_a_settlement_at_midnight_belongs_to_the_day_that_ends(
    tables: dict[str, Columns], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The made-up fund settles a market at a midnight; counted on the next day, two days no longer come out."""
    fills = tables["fills"]
    assert np.any((fills["kind"] == SETTLEMENT_FILL) & (fills["time"] % DAY_NS == 0))
    monkeypatch.setattr("podshop.report.aggregate.SETTLEMENT_FILL", -1)
    assert gathered(tables).identity_residual_micro["total"] > 0


def test_the_cut_into_chunks_does_not_matter(tables: dict[str, Columns]) -> None:
    whole, parts = gathered(tables), gathered(tables, 0.1, 0.1, 0.33, 0.7)
    each = [(data, data.trading) for data in (whole, parts)]
    names = [(0, name) for name in ReportData.__slots__ if name != "trading"]
    for of, name in (*names, *((1, name) for name in TradingCosts.__slots__)):
        one, other = getattr(each[0][of], name), getattr(each[1][of], name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, err_msg=name)
        elif isinstance(one, dict):
            assert all(np.array_equal(one[key], other[key], equal_nan=True) for key in one), name
        else:
            assert one == other, name


def test_sums_by_day_book_and_market_are_those_of_a_plain_loop(tables: dict[str, Columns]) -> None:
    data, fills, funding = gathered(tables), tables["fills"], tables["funding"]
    fees = np.zeros((10, 3), np.int64)
    slippage = np.zeros(3, np.int64)
    for i in range(len(fills["seq"])):
        fees[(fills["time"][i] - SINCE_NS) // DAY_NS, fills["book"][i]] += fills["fee_micro"][i]
        slippage[fills["market"][i]] += (fills["price_micro"][i] - fills["reference_micro"][i]) * fills["lots"][i]
    assert np.array_equal(data.fees, fees)
    assert np.array_equal(data.market_pnl["slippage"], slippage)
    assert data.funding.sum() == funding["cash_micro"].sum()
    assert data.fills.tolist()[:2] == [int((fills["kind"] == kind).sum()) for kind in (0, 1)]
    assert sum(int(sums.sum()) for name, sums in data.market_pnl.items() if name == "price_pnl") == data.price_pnl.sum()


def test_orders_count_each_verdict_once(tables: dict[str, Columns]) -> None:
    orders = gathered(tables).orders()
    assert orders["wanted"] == len(tables["verdicts"]["seq"]) == sum(orders["by_code"].values())
    assert orders["wanted"] == orders["approved"] + orders["shrunk"] + orders["vetoed"]


def test_var_is_tested_on_the_lots_of_midnight(tables: dict[str, Columns]) -> None:
    """Clean P&L: what the lots before each midnight's trades earned by the next."""
    nav, fills, marks = tables["nav"], tables["fills"], tables["marks"]
    known = tables | {"nav": nav | {"var": np.where(nav["time"] == SINCE_NS, 0.0, 1e-9)}}
    data = gathered(known)
    day = SINCE_NS + 3 * DAY_NS
    clean = 0
    for m in range(len(MARKETS)):
        held = fills["lots"][(fills["market"] == m) & (fills["time"] < day)].sum()
        mark = {
            t: int(p) for t, i, p in zip(marks["time"], marks["market"], marks["mark_micro"], strict=True) if i == m
        }
        clean += held * (mark[day + DAY_NS] - mark[day])
    assert data.clean_pnl[3] == clean
    test = data.var_test()
    assert test["days"] == 8  # nine whole days, the first of which began with nothing to lose
    assert 0 < test["breaches"] == int((data.clean_pnl[1:9] < -100).sum())


def episodes_of(rows: list[tuple[int, int, int, int]], *cuts: int) -> Episodes:
    found = Episodes(codes=3, markets=2)
    for a, b in pairwise([0, *cuts, len(rows)]):
        cycle, market, verdict, code = np.array(rows[a:b]).reshape(-1, 4).T
        found.add({"cycle": cycle, "time": cycle * HOUR_NS, "market": market, "verdict": verdict, "code": code})
    return found


def test_episodes_end_with_a_change_or_a_missing_cycle() -> None:
    """Market 0: three vetoes, a gap, one veto, one shrink. Market 1: two approvals across all of it."""
    rows = [(1, 0, 2, 1), (2, 0, 2, 1), (2, 1, 0, 0), (3, 0, 2, 1), (3, 1, 0, 0), (5, 0, 2, 1), (6, 0, 1, 1)]
    for cuts in ((), (1,), (2, 4), (3, 3, 6)):
        found = episodes_of(rows, *cuts)
        count = found.count()
        assert (count[2, 1, 0], count[1, 1, 0], count[0, 0, 1], count.sum()) == (2, 1, 1, 4), cuts
        longest = found.longest()
        assert [(e.cycles, e.market, e.verdict) for e in longest] == [(3, 0, 2), (1, 0, 2), (1, 0, 1)]
        assert (longest[0].since_ns, longest[0].until_ns) == (HOUR_NS, 3 * HOUR_NS)
