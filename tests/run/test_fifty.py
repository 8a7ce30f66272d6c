"""The fund of twenty-five signal and twenty execution agents: what it lists, and that it works on real history."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podshop.feeds.parquet import read_market
from podshop.nouns import DAY_NS, Market, duration_ns, utc_ns
from podshop.report.aggregate import Aggregator
from podshop.run import backtest as run_backtest
from podshop.run.config import Fund, coarse, fifty, load
from podshop.run.opinions import Seat, seats
from podshop.signals.roster import ROSTER

SINCE_NS, UNTIL_NS = (utc_ns(datetime(2022, month, 1, tzinfo=UTC)) for month in (4, 5))


@pytest.fixture(scope="module")
def fund() -> Fund:
    return load(Path(__file__).resolve().parents[2] / "funds" / "fifty.toml")


@pytest.fixture(scope="module")
def market(fund: Fund, shared_data: Path) -> Market:
    """April 2022, when all five families have data, and the warm-up of the slowest."""
    reads = {name for seat in fund.signals for name in seat.agent.reads}
    return read_market(shared_data, fund.market, SINCE_NS - 800 * DAY_NS, UNTIL_NS, reads)[0]


@pytest.fixture(scope="module")
def roster(fund: Fund, market: Market) -> dict[str, Seat]:
    return seats(market, fund.signals, fund.confidence)


def test_the_fund_lists_the_roster(fund: Fund) -> None:
    assert {seat.name: seat.agent for seat in fund.signals} == ROSTER
    assert Counter(seat.agent.family for seat in fund.signals) == {
        "momentum": 7,
        "reversal": 6,
        "funding": 4,
        "onchain": 4,
        "sentiment": 4,
    }


def test_every_agent_covers_ten_to_fifteen_markets(fund: Fund) -> None:
    assert {seat.name: len(seat.markets) for seat in fund.signals if not 10 <= len(seat.markets) <= 15} == {}


def test_every_signal_is_heard_by_a_book(fund: Fund) -> None:
    assert {name for mandate in fund.mandates for name in mandate.listens} == set(ROSTER)


def test_twenty_books_in_three_horizons(fund: Fund) -> None:
    assert Counter(mandate.horizon for mandate in fund.mandates) == {"scalping": 6, "intraday": 7, "swing": 7}
    assert {mandate.style for mandate in fund.mandates} == {"taker", "maker", "twap"}


# Horizon -> shortest and longest cadence and outlook, half-life, cost budget.
WITHIN = {
    "scalping": ("30s", "5m", "1h", "4h", "1d", 0.05),
    "intraday": ("1h", "4h", "12h", "1d", "5d", 0.04),
    "swing": ("4h", "1d", "3d", "7d", "30d", 0.02),
}


def test_a_mandate_keeps_to_its_horizon(fund: Fund) -> None:
    for mandate in fund.mandates:
        quickest, slowest, nearest, furthest, half_life, budget = WITHIN[mandate.horizon]
        outlook_ns = duration_ns(mandate.outlook)
        assert duration_ns(quickest) <= duration_ns(mandate.cadence) <= duration_ns(slowest), mandate.name
        assert duration_ns(nearest) <= outlook_ns <= duration_ns(furthest), mandate.name
        assert duration_ns(mandate.urgency) <= outlook_ns <= duration_ns(mandate.longest_holding), mandate.name
        assert (mandate.volatility_half_life, mandate.cost_budget) == (half_life, budget), mandate.name
        assert mandate.cost_factor == 2.0, mandate.name


def test_on_bars_of_an_hour_the_scalpers_say_that_they_are_slow(fund: Fund) -> None:
    lines = coarse(fund)
    assert [line.partition(" ")[0] for line in lines] == [m.name for m in fund.mandates if m.horizon == "scalping"]
    assert lines[0] == "scalper_fade is meant to decide every 30s; on bars of 1h it decides every 1h"


def test_every_mandate_has_its_reason_above_it(fund: Fund) -> None:
    lines = fifty().splitlines()
    for mandate in fund.mandates:
        assert lines[lines.index(f"[execution.{mandate.name}]") - 1].startswith("# "), mandate.name


def test_no_mandate_trades_a_market_of_which_half_its_voices_can_say_nothing(fund: Fund) -> None:
    """Below half of the weight there is no blend; the analyst has no recorded scores."""
    covers = {seat.name: seat.markets for seat in fund.signals} | {"analyst": ()}
    for mandate in fund.mandates:
        for market in mandate.markets:
            speaking = sum(abs(weight) for name, weight in mandate.listens.items() if market in covers[name])
            assert speaking >= sum(map(abs, mandate.listens.values())) / 2, (mandate.name, market)


def test_what_is_believed_beforehand_is_said_of_every_family(fund: Fund) -> None:
    assert set(fund.evidence.prior_slope) == {agent.family for agent in ROSTER.values()}


@pytest.mark.parametrize("name", [name for name in ROSTER if name != "analyst"])
def test_an_agent_has_opinions_in_april_2022(roster: dict[str, Seat], market: Market, name: str) -> None:
    said, heard = roster[name].voice(market.time[market.time > SINCE_NS])
    least = {"onchain": 1, "sentiment": 2, "funding": 5}.get(
        ROSTER[name].family, 9
    )  # what the files hold of that month
    assert np.isfinite(said[heard]).any(axis=0).sum() >= least


def test_without_recorded_scores_the_analyst_has_no_opinion(roster: dict[str, Seat], market: Market) -> None:
    said, heard = roster["analyst"].voice(market.time[market.time > SINCE_NS])
    assert np.isnan(said[heard]).all()


def test_all_twenty_books_trade_in_april_2022_where_no_cost_stops_them(
    fund: Fund, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the whole loop, with the columns that the agents read."""
    traded: set[int] = set()
    monkeypatch.setattr(run_backtest, "Aggregator", watching(traded))
    eager = replace(fund, mandates=tuple(replace(m, cost_factor=0.0, cost_budget=1e6) for m in fund.mandates))
    result = run_backtest.backtest(eager, shared_data, SINCE_NS, SINCE_NS + 10 * DAY_NS, None, lambda *_: None)
    assert result["books"] == result["books"] | {"count": 20, "residual_lots": 0, "residual_micro": 0}
    assert result["books"]["identity_residual_micro"]["total"] == 0
    assert [fund.mandates[book].name for book in range(20) if book not in traded] == []


def watching(traded: set[int]) -> Any:
    """The report's own aggregator, with an eye on which books fill."""

    class Watching(Aggregator):
        def add(self, table: str, columns: Any) -> None:
            if table == "fills":
                traded.update(int(book) for book in columns["book"])
            super().add(table, columns)

    return Watching
