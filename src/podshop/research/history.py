"""The history on which a fund's signal agents are judged: what each reads, and the warm-up before the period."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from podshop.feeds.parquet import read_market
from podshop.feeds.parquet.period import period
from podshop.feeds.simulated import simulate
from podshop.nouns import DAY_NS, ConfigError, Funding, Market, duration_ns, utc_text
from podshop.run.chunks import chunk_ns
from podshop.run.config.sections import Fund

SIMULATED_SINCE_NS, SIMULATED_DAYS, SIMULATED_SEED = 19_358 * DAY_NS, 365, 7


@dataclass(frozen=True, slots=True)
class History:
    """What was read, and the period it is read for: (since_ns, until_ns]."""

    market: Market
    funding: Funding
    since_ns: int
    until_ns: int
    simulated: bool


def history(fund: Fund, data: Path | None, since_ns: int | None, until_ns: int | None) -> History:
    """Read every column that the fund's agents read, from early enough for the first day.

    data  folder of history; None = the simulated exchange, which has bars and funding only
    Raises ConfigError for a period without data.
    """
    first, last = (
        (SIMULATED_SINCE_NS, SIMULATED_SINCE_NS + SIMULATED_DAYS * DAY_NS)
        if data is None
        else period(data, fund.market)
    )
    since_ns = first if since_ns is None else max(since_ns, first)
    until_ns = last if until_ns is None else min(until_ns, last)
    if since_ns >= until_ns:
        raise ConfigError(f"the period holds no data, there is {utc_text(first)} to {utc_text(last)}")
    reads = {name for seat in fund.signals for name in seat.agent.reads}
    from_ns = min(_warm_up_from(fund, since_ns), since_ns)
    if data is not None:
        market, funding, _ = read_market(data, fund.market, from_ns, until_ns, reads)
        return History(market, funding, since_ns, until_ns, simulated=False)
    market, funding = simulate(
        fund.market.markets, duration_ns(fund.market.interval), from_ns, until_ns, seed=SIMULATED_SEED
    )
    unknown = np.full((len(market.names), len(market)), np.nan).T
    columns = {name: unknown for name in reads if name not in market.columns} | dict(market.columns)
    return History(Market(market.names, market.interval_ns, market.time, columns), funding, since_ns, until_ns, True)


def _warm_up_from(fund: Fund, since_ns: int) -> int:
    """The earliest bar that any opinion of the period may follow from."""
    starts = []
    for seat in fund.signals:
        bar_ns = duration_ns(seat.agent.bar)
        lookback_ns = seat.agent.lookback_bars * bar_ns
        length_ns = chunk_ns(lookback_ns, f"signals.{seat.name}")
        starts.append(since_ns // length_ns * length_ns - lookback_ns - 2 * bar_ns)
    return min(starts) // DAY_NS * DAY_NS
