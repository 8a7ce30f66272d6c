"""The figures of a tear sheet by hand, and against what other pages say."""

import numpy as np
import pytest

from podshop.nouns import DAY_NS
from podshop.report.accounts import SETTLEMENT
from podshop.report.aggregate import Aggregator
from podshop.report.sections import monthly_returns
from podshop.report.statement import statement
from podshop.report.stats import stats
from podshop.report.tear import WINDOW, calmar, capacity, drawdowns, months, rolling, sortino, tear
from tests.journal.made_up import BOOKS, HOUR_NS, MARKETS
from tests.report.accounted import SINCE_NS, Columns, made, record_of

HOURS = 24 * 130 + 5
END_NS = SINCE_NS + HOURS * HOUR_NS


@pytest.fixture(scope="module")
def tables() -> dict[str, Columns]:
    return made(HOURS, seed=9)


def sheet(tables: dict[str, Columns], since: int = SINCE_NS, until: int = END_NS) -> dict:
    record = record_of(tables)
    return tear(record, statement(record, since, until), since, until)


def test_sortino_counts_losses_only() -> None:
    daily = np.array([0.02, -0.01] * 20)
    down = (sum(0.01**2 for _ in range(20)) / 40) ** 0.5
    assert sortino(daily) == pytest.approx(0.005 / down * 365**0.5)
    assert sortino(np.abs(daily)) is None  # no day lost
    assert sortino(daily[:29]) is None


def test_calmar_is_return_over_drawdown() -> None:
    assert calmar(0.2, 0.1) == 2.0
    assert calmar(None, 0.1) is None
    assert calmar(0.2, 0.0) is None


def test_drawdowns_from_high_to_high() -> None:
    """By hand: 3 days, from 110 to 99 and back; 1 day; and one that has not ended."""
    nav = np.array([100, 110, 99, 100, 110, 109, 120, 60, 90])
    time = np.arange(9) * DAY_NS
    found = drawdowns(time, nav)
    assert [round(row["depth"], 6) for row in found] == [0.5, 0.1, round(1 / 110, 6)]
    assert [row["days"] for row in found] == [2, 3, 2]
    assert [row["peak"][:10] for row in found] == ["1970-01-07", "1970-01-02", "1970-01-05"]
    assert [row["trough"][:10] for row in found] == ["1970-01-08", "1970-01-03", "1970-01-06"]
    assert [row["recovered"] and row["recovered"][:10] for row in found] == [None, "1970-01-05", "1970-01-07"]
    assert drawdowns(time, np.sort(nav)) == []


def test_the_five_worst_of_many(tables: dict[str, Columns]) -> None:
    time, nav = tables["nav"]["time"], tables["nav"]["nav_micro"]
    found = drawdowns(time, nav)
    high, depths = 0, [0.0]
    for worth in nav.tolist():  # a new high ends one
        if worth >= high:
            high = worth
            depths.append(0.0)
        depths[-1] = max(depths[-1], 1 - worth / high)
    assert [row["depth"] for row in found] == pytest.approx(sorted(depths, reverse=True)[:5])
    assert found[0]["depth"] == stats(time, nav)["max_drawdown"]


def test_months_are_those_of_the_report(tables: dict[str, Columns]) -> None:
    aggregator = Aggregator(BOOKS[:-1], MARKETS, SINCE_NS, END_NS)
    for table, columns in tables.items():
        if table != "markets":
            aggregator.add(table, columns)
    shown = monthly_returns(aggregator.gather())
    found = months(tables["nav"]["time"], tables["nav"]["nav_micro"])
    assert [row["year"] for row in found] == [row["year"] for row in shown] == [2024]
    assert found[0]["months"] == [value for value, _ in shown[0]["months"]]
    assert found[0]["total"] == pytest.approx(tables["nav"]["nav_micro"][-1] / tables["nav"]["nav_micro"][0] - 1)


def test_rolling_figures_are_those_of_ninety_days_alone(tables: dict[str, Columns]) -> None:
    nav = tables["nav"]
    found = rolling(nav["time"], nav["nav_micro"], SINCE_NS, END_NS)
    assert found["time"][0] == SINCE_NS + WINDOW * DAY_NS
    assert len(found["time"]) == 130 - WINDOW + 1
    for i in (0, 17, 40):
        end = found["time"][i]
        inside = (nav["time"] >= end - WINDOW * DAY_NS) & (nav["time"] <= end)
        alone = stats(nav["time"][inside], nav["nav_micro"][inside])
        for name in ("return", "volatility", "sharpe", "sharpe_low", "sharpe_high"):
            assert found[name][i] == pytest.approx(alone[name]), name


def test_a_month_looks_back_beyond_its_start(tables: dict[str, Columns]) -> None:
    april = SINCE_NS + 91 * DAY_NS
    found = sheet(tables, april, april + 30 * DAY_NS)
    whole = sheet(tables)
    assert found["rolling"]["time"] == [at for at in whole["rolling"]["time"] if april <= at <= april + 30 * DAY_NS]
    assert len(found["rolling"]["time"]) == 31
    assert found["stats"]["days"] == 30
    assert found["daily"]["time"][0] == april + DAY_NS


def test_at_capacity_impact_eats_half_of_the_edge() -> None:
    """Trades n times as large pay n x n^(1/2) of the impact; the edge grows with n."""
    mean_nav, gross, impact = 100_000.0, 4_000.0, 50.0
    found = capacity(mean_nav, gross, 0.0, 5_000.0, impact)
    n = found["capital"] / mean_nav
    assert impact * n * n**0.5 == pytest.approx(0.5 * gross * n)
    assert found["low"] == 0.0
    assert found["high"] > found["capital"]
    assert capacity(mean_nav, -1.0, -2.0, 1.0, impact)["capital"] == 0.0
    assert capacity(mean_nav, gross, 0.0, 5_000.0, 0.0)["capital"] is None


def test_gross_edge_and_impact_are_those_of_the_rows(tables: dict[str, Columns]) -> None:
    """Edge = NAV's change + fees + slippage; impact = slippage - half-spread, without what a dead market lost."""
    record = record_of(tables)
    told = statement(record, SINCE_NS, END_NS)
    total, held = told["pnl"]["total"], sheet(tables)["capacity"]
    gross = total["net_micro"] + total["fees_micro"] + total["slippage_micro"]
    assert held["gross"] == pytest.approx(gross / 1e6)
    died = record.is_one_of("fills", "kind", SETTLEMENT)
    fills = tables["fills"]
    lost = ((fills["price_micro"] - fills["reference_micro"]) * fills["lots"])[died].sum()
    impact = total["slippage_micro"] - tables["costs"]["half_spread_micro"].sum() - lost
    assert held["impact"] == pytest.approx(impact / 1e6)
    assert held["gross_low"] < held["gross"] < held["gross_high"]


def test_the_interval_of_the_edge_is_that_of_a_sum_of_days(tables: dict[str, Columns]) -> None:
    """Whole days of P&L had trading been free, one after another, as the statements of those days have it."""
    record = record_of(tables)
    days = []
    for day in range(SINCE_NS, SINCE_NS + 130 * DAY_NS, DAY_NS):
        total = statement(record, day, day + DAY_NS)["pnl"]["total"]
        days.append((total["net_micro"] + total["fees_micro"] + total["slippage_micro"]) / 1e6)
    error = 1.6448536269514722 * np.std(days, ddof=1) * 130**0.5
    held = sheet(tables)["capacity"]
    assert held["gross_high"] - held["gross"] == pytest.approx(error)
    assert held["gross"] - held["gross_low"] == pytest.approx(error)


def test_turnover_is_what_went_to_the_venue(tables: dict[str, Columns]) -> None:
    found = sheet(tables)["turnover"]
    fills = tables["fills"]
    out = fills["kind"] != 1
    traded = (np.abs(fills["lots"]) * fills["reference_micro"])[out].sum() / 1e6
    assert found["traded"] == traded
    years = HOURS / 24 / 365
    assert found["a_year"] == pytest.approx(traded / (tables["nav"]["nav_micro"].mean() / 1e6) / years)


def test_figures_of_the_run_are_those_of_its_result(tables: dict[str, Columns]) -> None:
    found = sheet(tables)
    right = stats(tables["nav"]["time"], tables["nav"]["nav_micro"])
    assert {name: found["stats"][name] for name in right} == right
    daily = np.array(found["daily"]["return"])
    assert found["stats"]["best_day"] == daily.max()
    assert found["stats"]["up_days"] == (daily > 0).mean()
    assert found["stats"]["calmar"] == right["annual_return"] / right["max_drawdown"]
