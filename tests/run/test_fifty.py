"""The fund of twenty-five signal agents: what it lists, and that each of them is asked on real history."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podshop.feeds.parquet import read_market
from podshop.nouns import DAY_NS, Market, utc_ns
from podshop.report.aggregate import Aggregator
from podshop.run import backtest as run_backtest
from podshop.run.config import Fund, load
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


def test_every_family_is_heard_by_a_book(fund: Fund) -> None:
    family = {seat.name: seat.agent.family for seat in fund.signals}
    assert {family[name] for mandate in fund.mandates for name in mandate.listens} == set(family.values())


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


def test_all_five_books_trade_in_april_2022(fund: Fund, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the whole loop, with the columns that the agents read."""
    traded: set[int] = set()
    monkeypatch.setattr(run_backtest, "Aggregator", watching(traded))
    result = run_backtest.backtest(fund, shared_data, SINCE_NS, SINCE_NS + 10 * DAY_NS, None, lambda *_: None)
    assert result["books"] == result["books"] | {"count": 5, "residual_lots": 0, "residual_micro": 0}
    assert result["books"]["identity_residual_micro"]["total"] == 0
    assert traded >= set(range(5))


def watching(traded: set[int]) -> Any:
    """The report's own aggregator, with an eye on which books fill."""

    class Watching(Aggregator):
        def add(self, table: str, columns: Any) -> None:
            if table == "fills":
                traded.update(int(book) for book in columns["book"])
            super().add(table, columns)

    return Watching
