"""The tape against the backtest's own facts: the same references, ranges, deaths and liquidity, cell by cell."""

import numpy as np

from podshop.feeds.simulated import simulate
from podshop.nouns import DAY_NS, HOUR_NS
from podshop.run.backtest import market_facts
from podshop.run.config import starter_fund
from podshop.venues.exchange.tape import Tape, liquid_of

SINCE_NS = 19_358 * DAY_NS


def test_the_tape_is_what_a_backtest_reads() -> None:
    fund = starter_fund()
    market, funding = simulate(fund.market.markets, HOUR_NS, SINCE_NS, SINCE_NS + 60 * DAY_NS, seed=3)
    for values in market.columns.values():
        values[200:240, 1] = np.nan  # more than a day of no bars
    facts = market_facts(fund, market, funding)
    since = int(market.time[1_000])
    tape = Tape(market, funding, fund.instruments, liquid_of(facts, since))
    whole = facts.stretch(0, len(market))
    for name in ("reference", "low", "high", "dead", "mark", "age"):
        assert np.array_equal(getattr(tape, name), getattr(whole, name)), name
    assert tape.dead.any()
    for row in (1_000, 1_001, len(market) - 1):
        h, m = int(whole.risk_row[row]), 2
        expected = (whole.depth[h, m], whole.sigma[h, m], whole.liquidity[h, m], whole.queued[h, m])
        assert tape.liquidity(row, m) == tuple(each.item() for each in expected)
        assert expected[2] > 0
    assert tape.liquidity(999, 2)[2] == 0  # nothing is known before
    assert tape.row(since) == 1_000
    assert tape.row(since - 1) == 999
    assert tape.row(SINCE_NS) == -1
