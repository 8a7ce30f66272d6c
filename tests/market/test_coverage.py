"""What is there and what is not, named."""

import numpy as np

from podshop.market import data_report
from podshop.nouns import HOUR_NS, Market
from podshop.nouns.coverage import Gap, MarketCoverage

NAN = float("nan")


def test_gaps_and_silent_bars_are_counted_and_placed():
    volume = np.array([[NAN, 1.0, NAN, NAN, 0.0, 2.0, NAN], [NAN] * 7])
    market = Market(("BTC", "ETH"), HOUR_NS, np.arange(1, 8) * HOUR_NS, {"volume": volume.T})
    report = data_report(market, "okx_perp", ("a",), {"BTC": 0.25, "ETH": 0.0})
    assert report.markets[0] == MarketCoverage(
        name="BTC",
        first_ns=1 * HOUR_NS,
        last_ns=6 * HOUR_NS,
        bars=3,
        missing_bars=2,
        zero_volume_bars=1,
        gaps=(Gap(start_ns=2 * HOUR_NS, end_ns=4 * HOUR_NS, bars=2),),
        assumed_share=0.25,
    )
    assert (report.markets[1].bars, report.markets[1].first_ns, report.markets[1].last_ns) == (0, None, None)
