"""What a market's bars cover: first and last, gaps, bars without trading."""

from collections.abc import Mapping

import numpy as np

from podshop.nouns import Market
from podshop.nouns.coverage import DataReport, Gap, MarketCoverage


def data_report(market: Market, venue: str, funding: tuple[str, ...], assumed_share: Mapping[str, float]) -> DataReport:
    """Count what is there and name what is not.

    market         bars as they are stored: a hole in them would not be seen any more in longer ones
    funding        the sources that were asked, in order
    assumed_share  market -> share of its hours that no funding record covers
    """
    markets = tuple(_coverage(market, m, assumed_share[name]) for m, name in enumerate(market.names))
    return DataReport(venue=venue, stored_ns=market.interval_ns, funding=funding, markets=markets)


def _coverage(market: Market, m: int, assumed_share: float) -> MarketCoverage:
    volume = market.columns["volume"].T[m]
    rows = np.flatnonzero(~np.isnan(volume))
    close_ns = market.time[rows]
    holes = np.flatnonzero(np.diff(rows) > 1)
    gaps = tuple(
        Gap(
            start_ns=int(close_ns[i]),
            end_ns=int(close_ns[i + 1]) - market.interval_ns,
            bars=int(rows[i + 1] - rows[i]) - 1,
        )
        for i in holes
    )
    return MarketCoverage(
        name=market.names[m],
        first_ns=int(close_ns[0]) - market.interval_ns if len(rows) else None,
        last_ns=int(close_ns[-1]) if len(rows) else None,
        bars=len(rows),
        missing_bars=sum(gap.bars for gap in gaps),
        zero_volume_bars=int(np.count_nonzero(volume[rows] == 0)),
        gaps=gaps,
        assumed_share=assumed_share,
    )
