"""A VaR that is true passes, one that is 0.7 of it does not, and too few days are called too few."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.nouns import DAY_NS, utc_ns
from podshop.report import var_test as tests
from podshop.report.aggregate import Aggregator, ReportData
from podshop.report.var_test import REJECTED, accepted, chi2_tail, independence, kupiec, period_test, var_test, zone
from podshop.run.backtest import backtest
from podshop.run.config import starter_fund
from tests.journal.made_up import BOOKS, MARKETS

SINCE_NS = 18_262 * DAY_NS  # 2020-01-01


# What a true model may show at 5 % doubt, counted exactly; days of 255, 510 and 1,000: the non-rejection regions of
# Kupiec (1995), as Jorion, "Value at Risk", prints them with N strictly between two bounds.
@pytest.mark.parametrize(
    ("days", "tail", "fewest", "most"),
    [(250, 0.01, 1, 6), (365, 0.01, 1, 7), (730, 0.01, 3, 13), (1460, 0.01, 8, 22), (250, 0.05, 7, 19),
     (365, 0.05, 11, 26), (730, 0.05, 26, 48), (1460, 0.05, 58, 89),
     (255, 0.025, 3, 11), (255, 0.05, 7, 20), (255, 0.10, 17, 35), (510, 0.01, 2, 10), (510, 0.025, 7, 20),
     (510, 0.05, 17, 35), (510, 0.10, 39, 64), (1000, 0.01, 5, 16), (1000, 0.05, 38, 64), (1000, 0.075, 60, 91)],
)  # fmt: skip
def test_kupiec_accepts_what_the_published_tables_accept(days: int, tail: float, fewest: int, most: int) -> None:
    assert accepted(days, tail) == (fewest, most)
    inside = [n for n in range(days + 1) if kupiec(days, n, tail) < 3.841459]
    assert inside == list(range(fewest, most + 1))


@pytest.mark.parametrize(
    ("days", "yellow", "red"), [(250, 5, 10), (365, 7, 13), (730, 12, 19), (1460, 21, 31)]
)  # 250 days: Basel Committee (1996), table 2
def test_basel_zones_begin_where_the_published_table_says(days: int, yellow: int, red: int) -> None:
    colours = [zone(days, n, 0.01) for n in range(red + 2)]
    assert colours == ["green"] * yellow + ["yellow"] * (red - yellow) + ["red"] * 2
    assert zone(250, 17, 0.05) == "green" != zone(250, 19, 0.05)  # the same rule at 95 %: P(X <= 18) is 0.952


@pytest.mark.parametrize(("degrees", "value", "p"), [(1, 2.705543, 0.1), (1, 6.634897, 0.01), (2, 4.605170, 0.1),
                                                     (2, 9.210340, 0.01), (1, 0.0, 1.0), (2, 0.0, 1.0)])  # fmt: skip
def test_chi_square_tails_are_those_of_the_tables(degrees: int, value: float, p: float) -> None:
    assert chi2_tail(value, degrees) == pytest.approx(p, rel=1e-6)


def test_power_grows_with_the_days() -> None:
    """A true rate of 2 % where 1 % is claimed is noticed with 24 % at 250 days, 60 % at 730, 90 % at 1,460."""
    assert [round(tests.power_to_notice(n, 0.01), 2) for n in (250, 730, 1460)] == [0.24, 0.60, 0.90]
    assert (tests.days_needed(0.05), tests.days_needed(0.01)) == (267, 1406)


def test_independence_is_the_ratio_of_the_two_likelihoods_by_hand() -> None:
    """Twelve days, four beyond, three of them in a row: 00 x 6, 01 x 2, 10 x 1, 11 x 2 of eleven pairs."""
    beyond = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1], bool)
    apart = (1 - 4 / 11) ** 7 * (4 / 11) ** 4
    chained = (6 / 8) ** 6 * (2 / 8) ** 2 * (1 / 3) ** 1 * (2 / 3) ** 2
    assert independence(np.ones(12, bool), beyond) == pytest.approx(-2 * math.log(apart / chained))


def test_days_on_both_sides_of_an_unknown_one_are_no_neighbours() -> None:
    beyond = np.tile([True, False, True, False, False, False], 20)
    known = np.ones(120, bool)
    known[1::6] = False
    pairs = [(a, b) for a, b in zip(range(119), range(1, 120), strict=True) if known[a] and known[b]]
    n01 = sum(not beyond[a] and bool(beyond[b]) for a, b in pairs)
    n10 = sum(bool(beyond[a]) and not beyond[b] for a, b in pairs)
    n00 = len(pairs) - n01 - n10  # never two in a row
    assert (n01, n10, n00) == (19, 20, 40)
    p, q = n01 / len(pairs), n01 / (n01 + n00)
    logs = [(n01, q), (n00, 1 - q), (-n01, p), (-(n00 + n10), 1 - p)]
    assert independence(known, beyond) == pytest.approx(2 * sum(n * math.log(x) for n, x in logs))


@given(st.lists(st.sampled_from([None, False, True]), min_size=1, max_size=300), st.sampled_from([0.01, 0.05]))
def test_any_days_have_an_answer(days: list[bool | None], tail: float) -> None:
    known = np.array([day is not None for day in days])
    found = period_test(known, np.array([bool(day) for day in days]), tail)
    fewest, most = found["accepted"]
    assert ("too few" in found["why"] or "too many" in found["why"]) == (not fewest <= found["exceedances"] <= most)
    assert found["joint"]["lr"] == pytest.approx(found["kupiec"]["lr"] + found["independence"]["lr"])
    assert all(0 <= found[test]["p"] <= 1 for test in ("kupiec", "independence", "joint"))
    assert 0 <= found["power"] <= 1
    assert (found["zone"] is None) == (found["days"] < 250)


def test_exceedances_in_a_row_are_rejected_however_few_they_are() -> None:
    """Fifty of a thousand days at 95 %: as many as claimed, once scattered and once in ten runs of five."""
    scattered, runs = np.zeros(1000, bool), np.zeros(1000, bool)
    scattered[np.random.default_rng(5).choice(1000, 50, replace=False)] = True
    runs[(np.arange(1000) % 100) < 5] = True
    known = np.ones(1000, bool)
    assert period_test(known, scattered, 0.05)["verdict"] == "passes"
    found = period_test(known, runs, 0.05)
    assert (found["exceedances"], found["why"], found["verdict"]) == (50, ["in a row"], REJECTED)
    assert found["kupiec"]["p"] == pytest.approx(1.0)


def days_of(pnl: np.ndarray, var: np.ndarray) -> ReportData:
    """A run of so many whole days with this clean P&L and VaR at 95 %, in micro-dollars; its NAV moves with them."""
    count = len(pnl)
    aggregator = Aggregator(BOOKS[:-1], MARKETS, SINCE_NS, SINCE_NS + count * DAY_NS)
    time = SINCE_NS + np.arange(count + 1) * DAY_NS
    nav = 10**11 + np.concatenate([[0], pnl.astype(np.int64).cumsum()])
    zero = np.zeros(count + 1)
    share = np.append(var, 0.0) / nav
    aggregator.add("nav", {"time": time, "nav_micro": nav, "gross": zero, "net": zero, "drawdown": zero, "var": share})
    data = aggregator.gather()
    object.__setattr__(data, "clean_pnl", pnl.astype(np.int64))
    return data


def verdicts(found: dict[str, Any], period: str = "all") -> list[str]:
    return [row["verdict"] for level in found["levels"] for row in level["periods"] if row["name"] == period]


def test_on_six_simulated_years_the_truth_passes_and_seven_tenths_of_it_does_not() -> None:
    """Normal days of a volatility that doubles and halves; 2,191 days. True: 130 and 21 beyond, 0.7: 304 and 136."""
    rng = np.random.default_rng(2)
    sigma = 5e8 * np.exp2(np.sin(np.arange(2191) / 60))
    data = days_of(rng.normal(size=2191) * sigma, 1.6448536269514722 * sigma)
    true, wrong = var_test(data), var_test(data, scale=0.7)
    assert verdicts(true) == ["passes", "passes"]
    assert verdicts(wrong) == [REJECTED, REJECTED]
    whole = [[level["periods"][-1] for level in found["levels"]] for found in (true, wrong)]
    counts = [[(row["exceedances"], round(row["expected"])) for row in found] for found in whole]
    assert counts == [[(130, 110), (21, 22)], [(304, 110), (136, 22)]]
    assert all(row["why"] == ["too many"] for row in whole[1])
    assert [level["control"]["exceedances"] for level in true["levels"]] == [304, 136]
    assert true["dirty_exceedances"] == 130  # this NAV has no trades and no costs
    names = [row["name"] for row in true["levels"][0]["periods"]]
    assert names == ["2020", "2021", "2022", "2023", "2024", "2025", "last 250 days", "all"]


def test_a_uselessly_large_var_is_rejected_too() -> None:
    rng = np.random.default_rng(2)
    pnl = 5e8 * rng.normal(size=1460)
    found = var_test(days_of(pnl, np.full(1460, 5e8 * 1.6448536269514722)), scale=2.0)
    assert [level["periods"][-1]["why"] for level in found["levels"]] == [["too few"], ["too few"]]


def test_a_month_is_too_few_days_to_tell() -> None:
    pnl = 5e8 * np.random.default_rng(4).normal(size=40)
    found = var_test(days_of(pnl, np.full(40, 5e8 * 1.6448536269514722)))
    assert verdicts(found) == ["too few days to tell"] * 2
    assert [level["periods"][-1]["power"] for level in found["levels"]] == pytest.approx([0.21, 0.05], abs=0.03)
    unknown = var_test(days_of(np.zeros(40), np.full(40, np.nan)))
    assert verdicts(unknown) == ["too few days to tell"] * 2
    assert unknown["levels"][0]["periods"][-1]["days"] == 0


def test_the_starter_fund_on_real_history(shared_data: Path) -> None:
    """2022-01 to 2024-07, 819 days that began with lots held. Its VaR passes at 95 %: 31 days beyond, 41 expected, and
    the same code rejects 0.7 of it. Under the normal tail that the gate assumes, 99 % is rejected: 15 days, 8 expected.
    """
    fund, until_ns = starter_fund(), utc_ns(datetime(2024, 7, 1, tzinfo=UTC))
    result = backtest(fund, shared_data, utc_ns(datetime(2022, 1, 1, tzinfo=UTC)), until_ns, None, lambda *_: None)
    levels = result["var"]["test"]["levels"]
    whole = [level["periods"][-1] for level in levels]
    assert [(row["days"], row["exceedances"]) for row in whole] == [(819, 31), (819, 15)]
    assert [row["verdict"] for row in whole] == ["passes", REJECTED]
    assert [level["control"]["why"] for level in levels] == [["too many"], ["too many"]]
    assert result["var"]["breaches"] == whole[0]["exceedances"]
