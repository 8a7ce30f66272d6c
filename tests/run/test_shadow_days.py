"""The shadows alone earn what they earn beside the fund, to the bit."""

from dataclasses import replace

import numpy as np
import pytest

from podshop.feeds.simulated import simulate
from podshop.nouns import DAY_NS, HOUR_NS, Funding, Market
from podshop.run import shadow_days as alone
from podshop.run.backtest import market_facts
from podshop.run.config import starter_fund
from podshop.run.loop import Run
from podshop.run.opinions import seats

END_NS = 19_400 * DAY_NS
FUND = starter_fund()


@pytest.fixture(scope="module")
def world() -> tuple[Market, Funding]:
    """Funding is half an hour off, so that what a stretch begins with matters: it is paid at the mark before."""
    market, funding = simulate(FUND.market.markets, HOUR_NS, END_NS - 170 * DAY_NS, END_NS, seed=5)
    return market, replace(funding, at_ns=funding.at_ns - HOUR_NS // 2)


def asked(world, days: int):
    market, funding = world
    times = market.time[market.time >= END_NS - days * DAY_NS - 5 * HOUR_NS]
    return FUND, market_facts(FUND, market, funding), seats(market, FUND.signals, FUND.confidence), times


def test_the_treasury_is_shown_the_same_days(world, monkeypatch) -> None:
    fund, facts, roster, times = asked(world, 70)
    run = Run(fund, facts, roster, alone._Nowhere())
    run.run(times, lambda *_: None)
    midnights, daily = alone.shadow_days(*asked(world, 70), lambda *_: None)
    assert daily.tolist() == run.daily_return.tolist()
    assert len(daily) == 69
    assert midnights.tolist() == [END_NS - day * DAY_NS for day in range(70, 0, -1)]
    assert np.count_nonzero(daily) > 100

    class Forgetful(Run):
        def shadow_targets(self, facts, strike):
            return super().shadow_targets(facts._replace(mark_before=np.zeros_like(facts.mark_before)), strike)

    monkeypatch.setattr(alone, "Run", Forgetful)
    assert (alone.shadow_days(*asked(world, 70), lambda *_: None)[1] != daily).any()
