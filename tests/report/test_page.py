"""The report is one readable file that says what its figures are."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from podshop.nouns import DAY_NS, utc_text
from podshop.report.aggregate import Aggregator, ReportData
from podshop.report.chart import BUCKETS, HIGH, WIDE, Series, chart, nice, thinned
from podshop.report.costs import tca
from podshop.report.page import page, percent, usd
from podshop.report.sections import monthly_returns, waterfall
from podshop.report.stats import gross_return, stats
from tests.journal.made_up import BOOKS, HOUR_NS, MARKETS, MadeUp

SINCE_NS = 19_723 * DAY_NS  # 2024-01-01


def run(cycles: int) -> tuple[dict, ReportData]:
    """Result and sums of a made-up fund."""
    tables = MadeUp(seed=1).run(SINCE_NS, cycles)
    aggregator = Aggregator(BOOKS[:-1], MARKETS, SINCE_NS, SINCE_NS + cycles * HOUR_NS)
    for table, columns in tables.items():
        if len(next(iter(columns.values()))):
            aggregator.add(table, columns)
    data = aggregator.gather()
    nav = tables["nav"]["nav_micro"]
    costs = data.costs_usd() | {"crossing_saved": 12.5}
    period = {"since": utc_text(SINCE_NS), "until": utc_text(SINCE_NS + cycles * HOUR_NS)}
    result = {
        "fund": "made up <&> whole",
        "simulated": True,
        "period": period | {"interval": "1h", "cycles": cycles, "days": cycles / 24},
        "nav": {"start": nav[0] / 1e6, "end": nav[-1] / 1e6},
        "stats": stats(tables["nav"]["time"], nav) | {"gross_return": gross_return(nav[0] / 1e6, nav[-1] / 1e6, costs)},
        "costs": costs,
        "tca": tca(data, {"trend": 0.05, "carry": 0.04}),
        "orders": data.orders(),
        "books": {"count": 2, "residual_lots": 0, "residual_micro": 0},
        "var": {"limit": 0.02},
        "decisions_sha256": "0" * 64,
        "assumed_funding_share": {"BTC": 0.0, "ETH": 0.0, "XRP": 1.0},
        "trials": None,
    }
    return result, data


@pytest.fixture(scope="module")
def month() -> tuple[dict, ReportData]:
    return run(24 * 45)


class Tags(HTMLParser):
    """Fails where a tag is closed that was not open; collects names and attributes."""

    EMPTY = frozenset({"meta", "path", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("cycles", [1, 5, 24, 25, 24 * 29, 24 * 45])
def test_any_run_makes_one_whole_page_that_needs_nothing_else(cycles: int) -> None:
    text = page(*run(cycles))
    tags = Tags(text)
    assert tags.open == []
    names = {name for name, _ in tags.seen}
    assert not names & {"script", "link", "img", "iframe", "object", "embed"}
    assert not any({"src", "href", "srcset"} & set(attributes) for _, attributes in tags.seen)
    assert "url(" not in text
    assert "@import" not in text
    assert not re.search(r"\b(nan|NaN|inf|None)\b", re.sub("<style>.*?</style>", "", text, flags=re.S))
    assert text == page(*run(cycles))


def test_what_is_simulated_says_so_first(month: tuple[dict, ReportData]) -> None:
    result, data = month
    assert page(result, data).partition("<main>")[0].count("SIMULATED DATA: not performance") == 1
    assert "SIMULATED" not in page(result | {"simulated": False}, data)


def words(text: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", text.partition("</style>")[2]).split())


def test_period_interval_net_and_trials_stand_beside_the_sharpe_ratio(month: tuple[dict, ReportData]) -> None:
    result, data = month
    figure = words(page(result, data)).partition("Sharpe ratio")[2].partition("Volatility")[0]
    low, high = result["stats"]["sharpe_low"], result["stats"]["sharpe_high"]
    assert "net" in figure
    assert f"90 % interval {low:.2f} to {high:.2f}".replace("-", "−") in figure
    assert "2024-01-01 to 2024-02-15, 1h bars, 45 daily returns" in figure
    assert "trials: not counted before the trials ledger" in figure
    assert "trials: 7" in words(page(result | {"trials": 7}, data))


def test_too_few_days_have_no_interval() -> None:
    figure = words(page(*run(24 * 29))).partition("Sharpe ratio")[2].partition("Volatility")[0]
    assert "no interval: under 30 days" in figure


def test_names_cannot_become_markup(month: tuple[dict, ReportData]) -> None:
    text = page(*month)
    assert "made up &lt;&amp;&gt; whole" in text
    assert "<&>" not in text


def test_assumed_funding_and_residuals_are_told(month: tuple[dict, ReportData]) -> None:
    text = words(page(*month))
    assert "XRP 100.0 % of hours" in text
    assert "0 lots and 0 micro-dollars apart" in text
    assert "P&amp;L identity, all books and days 0 micro-dollars apart" in text
    assert "Crossing opposite wishes inside the fund saved $12 more" in text


def test_books_markets_and_waterfall_end_at_the_same_sum(month: tuple[dict, ReportData]) -> None:
    result, data = month
    earned = result["nav"]["end"] - result["nav"]["start"]
    steps = waterfall(result, data)
    assert steps[-1]["usd"] == pytest.approx(earned)
    assert sum(step["usd"] for step in steps[:-1]) == pytest.approx(earned)
    assert all(step["left"] >= 0 and step["left"] + step["width"] <= 100.5 for step in steps)


def test_what_trading_cost_is_told_agent_by_agent(month: tuple[dict, ReportData]) -> None:
    result, data = month
    section = words(page(result, data)).partition("What trading cost")[2].partition("Net P&amp;L")[0]
    total, trend = result["tca"]["total"], result["tca"]["by_agent"]["trend"]
    for row in (total, trend):
        assert usd(row["shortfall"]) in section
        assert usd(row["fee"]) in section
    assert f"{percent(trend['cost_budget'], 1)} {percent(trend['spent'] / trend['cost_budget'], 0)}" in section
    assert "0 micro-dollars apart" in section
    assert "What trading cost" not in page({k: v for k, v in result.items() if k != "tca"}, data)


def test_months_multiply_to_the_whole_return(month: tuple[dict, ReportData]) -> None:
    result, data = month
    (year,) = monthly_returns(data)
    assert year["year"] == 2024
    assert [value is not None for value, _ in year["months"]] == [True, True] + [False] * 10
    assert year["total"] == pytest.approx(result["stats"]["return"])
    end_of_january = np.flatnonzero(data.nav["time"] == SINCE_NS + 31 * DAY_NS)[0]
    nav = data.nav["nav_micro"]
    assert year["months"][0][0] == pytest.approx(nav[end_of_january] / nav[0] - 1)


def test_a_long_chart_stays_inside_its_frame_and_keeps_its_peaks() -> None:
    """Ten years of hours: nanoseconds times the width would leave int64."""
    time = SINCE_NS + HOUR_NS * np.arange(87_600)
    value = np.sin(np.arange(87_600) / 9000.0)
    value[40_000], value[70_001] = 7.0, -5.0
    value[50_000:52_000] = np.nan
    drawn = chart("t", "a", [Series(time, value, "a")], str)
    places = np.array(re.findall(r"([\d.-]+) ([\d.-]+)", drawn.shapes[0].path), np.float64)
    assert len(places) <= 4 * BUCKETS + 4
    assert places.min() >= 0
    assert (places[:, 0].max(), np.all(np.diff(places[:, 0]) >= 0)) == (WIDE, True)
    low, high = drawn.y_ticks[0][1], drawn.y_ticks[-1][1]
    span = float(high) - float(low)
    assert places[:, 1].min() == pytest.approx(HIGH * (float(high) - 7.0) / span, abs=0.06)
    assert places[:, 1].max() == pytest.approx(HIGH * (float(high) + 5.0) / span, abs=0.06)
    assert drawn.shapes[0].path.count("M") == 2  # a gap is a gap
    assert all(0 <= place <= 100 for place, _ in (*drawn.x_ticks, *drawn.y_ticks))


def test_short_series_are_drawn_as_they_are() -> None:
    time, value = np.arange(100), np.arange(100.0)
    assert thinned(time, value)[1] is value


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (5.0, 5.0), (-3.0, 17.2), (0.0, 1e-9), (99_000.0, 101_500.0)])
def test_ticks_are_round_and_hold_the_values(low: float, high: float) -> None:
    ticks = nice(low, high, 4)
    assert ticks[0] <= low + 1e-12
    assert ticks[-1] >= high - 1e-12
    assert 2 <= len(ticks) <= 7


def test_a_book_without_a_day_and_an_unknown_var_are_dashes(month: tuple[dict, ReportData]) -> None:
    result, data = month
    unknown = replace(data, var_micro=np.full_like(data.var_micro, np.nan))
    assert "0 of 0" in words(page(result, unknown))


def test_the_var_is_tested_in_words(month: tuple[dict, ReportData]) -> None:
    """45 days that each lost a tenth of their VaR: at 95 % some should have lost more, at 99 % nobody can tell."""
    result, data = month
    quiet = replace(data, var_micro=np.full(45, 1e9), clean_pnl=np.full(45, -100_000_000))
    text = words(page(result, quiet)).partition("Is the VaR true?")[2].partition("Verdicts")[0]
    assert "VaR 95 %" in text
    assert "2024 45 0 2.3 1 to 5 0.032 1.000 0.099 – rejected: too few" in text
    assert "2024 45 0 0.5 0 to 2 0.342 1.000 0.636 – too few days to tell (power 6 %)" in text
    assert "267 days are needed to notice" in text
    assert "Control, the same test of a VaR 0.7 times as large: 0 beyond, too few days to tell" in text
    assert 'class="text loss">rejected' in page(result, quiet)
    assert "Kupiec p" not in words(page(result, replace(data, var_micro=np.full(45, np.nan))))


def test_numbers_are_written_for_people() -> None:
    assert (percent(-0.0123), percent(float("nan")), percent(None), percent(-1e-9)) == ("−1.23 %", "–", "–", "0.00 %")
    assert (usd(-1234.5), usd(1234.5, sign=True), usd(-0.2)) == ("−$1,234", "+$1,234", "$0")
