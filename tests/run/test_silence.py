"""Who had no opinion, when and why, in the fund of all shipped agents: counted while the fund is asked."""

from datetime import UTC, datetime

import numpy as np
import pytest

from podshop.feeds.parquet import read_market
from podshop.nouns import DAY_NS, HOUR_NS, utc_ns
from podshop.run.config import fifty_fund
from podshop.run.heard import listen_in, no_opinion
from podshop.run.opinions import seats

SINCE_NS = utc_ns(datetime(2022, 4, 1, tzinfo=UTC))


@pytest.mark.parametrize("stretch", [28 * 24, 100])
def test_who_was_silent_in_april_2022(shared_data, stretch):
    fund = fifty_fund()
    reads = {name for seat in fund.signals for name in seat.agent.reads}
    market, _, _ = read_market(shared_data, fund.market, SINCE_NS - 800 * DAY_NS, SINCE_NS + 30 * DAY_NS, reads)
    roster = seats(market, fund.signals, fund.confidence)
    heard = listen_in(fund.signals, roster)
    times = SINCE_NS + np.arange(30 * 24 + 1) * HOUR_NS
    for seat in roster.values():
        for at in range(0, len(times), stretch):
            seat.voice(times[at : at + stretch])
    rows = {(row["agent"], row["market"]): row for row in no_opinion(heard)}
    never = {
        agent for agent, _ in rows if all(rows.get((agent, m), {"share": 0})["share"] == 1 for m in _markets(agent))
    }
    assert never == {"analyst"}
    assert rows["analyst", "BTC"]["why"] == "llm_score is not known"
    assert rows["exchange_flow", "ETH"]["why"] == "onchain_FlowInExNtv is not known"
    assert rows["trend_week", "TIA"]["why"] == "not listed in this period"
    assert ("exchange_flow", "BTC") not in rows
    assert ("trend_week", "BTC") not in rows
    assert rows["news_tone", "SOL"]["first"] is None
    assert all(row["share"] >= 0.01 for row in rows.values())


def _markets(agent: str) -> tuple[str, ...]:
    return next(seat.markets for seat in fifty_fund().signals if seat.name == agent)
